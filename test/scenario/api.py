"""The HTTP API's client for tests: each answer is held against openapi.json.

    api = Api(server)
    api.sign_in("admin0", "password")
    api.put("/domains/example.test", {"relay": "b.test"}, status=201)
    api.get("/domains/nosuch.test", status=404)

A request returns an Answer; an unexpected status is an AssertionError.

    with api.events("overview,queue") as events:
        events.wait("queue")                        # its data, once it comes
        events.wait("overview", lambda o: o["queue"]["messages"] == 1)

The data of each event is held against its schema as well.
"""

import contextlib
import http.client
import json
import os
import queue
import re
import socket
import threading
import time
import urllib.parse

import jsonschema

from splitmail import ROOT
from world import PATIENCE, wait_until, within

PREFIX = "/api/v1"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY",
           "referrer-policy": "no-referrer"}


def document():
    with open(os.path.join(ROOT, "src", "console", "openapi.json")) as file:
        return json.load(file)


class Contract:
    """openapi.json as a judge."""

    def __init__(self):
        self.document = document()
        self.resolver = jsonschema.RefResolver("", self.document)
        self.paths = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"),
                       path) for path in self.document["paths"]]
        # A path without parts stands before one with a part in its place.
        self.paths.sort(key=lambda each: each[1].count("{"))

    def operation(self, method, path):
        for pattern, name in self.paths:
            operations = self.document["paths"][name]
            if pattern.match(path) and method.lower() in operations:
                return operations[method.lower()]
        return None

    def resolve(self, part):
        if "$ref" in part:
            return self.resolver.resolve(part["$ref"])[1]
        return part

    def check(self, method, path, answer):
        operation = self.operation(method, path)
        if operation is None:
            assert answer.status in (404, 405, 421), (method, path,
                                                      answer.status)
            return
        said = operation["responses"].get(str(answer.status))
        # Any request may be refused for its form, before it is looked at.
        if said is None and answer.status in (413, 421, 400):
            said = self.document["components"]["responses"]["Malformed"]
        assert said is not None, (f"{method} {path}: {answer.status} is not in "
                                  f"openapi.json: {answer.text}")
        content = self.resolve(said).get("content")
        if not content:
            assert answer.text == "", answer.text
            return
        kind, = content
        assert answer.headers["content-type"] == kind
        if kind != "text/event-stream":
            self.validate(content[kind]["schema"], answer.json)

    def validate(self, schema, data):
        jsonschema.Draft202012Validator(schema, resolver=self.resolver
                                        ).validate(data)

    def events(self):
        """Name of each event -> schema of its data."""
        return self.document["paths"]["/events"]["get"]["responses"]["200"][
            "content"]["text/event-stream"]["schema"]["$defs"]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value
                        for name, value in response.getheaders()}
        self.text = response.read().decode()
        self.json = None
        if "json" in self.headers.get("content-type", ""):
            self.json = json.loads(self.text)

    @property
    def etag(self):
        return self.headers["etag"]


class Events:
    """One open stream, read as it comes by a thread of its own."""

    def __init__(self, api, target):
        self.contract = api.contract
        self.connection = api.connect()
        self.connection.request("GET", target, None, api.headers("GET", {}))
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.came = queue.Queue()           # texts; None: the end
        self.text, self.seen, self.ended = "", [], False
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.close()

    def close(self):
        with contextlib.suppress(OSError, AttributeError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.connection.close()

    def listen(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            while some := self.response.read1(65536):
                self.came.put(some.decode())
        self.came.put(None)

    def take(self, block):
        fields = dict(line.split(": ", 1) for line in block.split("\n")
                      if not line.startswith(":"))
        if "event" not in fields:
            assert set(fields) <= {"retry"}, block
            return
        data = json.loads(fields["data"])
        self.contract.validate(self.contract.events()[fields["event"]], data)
        self.seen.append((fields["event"], data))

    def read(self, timeout):
        """Whatever comes within TIMEOUT goes into seen; False: the end."""
        if self.ended:
            return False
        try:
            some = self.came.get(timeout=timeout)
        except queue.Empty:
            return True
        self.ended = some is None
        self.text += some or ""
        while "\n\n" in self.text:
            block, self.text = self.text.split("\n\n", 1)
            self.take(block)
        return not self.ended

    def wait(self, name, good=lambda data: True, timeout=20):
        """The data of the next event NAME that is GOOD; those of this name
        that came before it are forgotten."""
        end = time.monotonic() + max(PATIENCE, within(timeout))
        while True:
            for event in [each for each in self.seen if each[0] == name]:
                self.seen.remove(event)
                if good(event[1]):
                    return event[1]
            assert time.monotonic() < end, f"no such {name} in {timeout} s"
            assert self.read(0.5), f"the stream ended before such a {name}"

    def wait_for_end(self, timeout=20):
        end = time.monotonic() + max(PATIENCE, within(timeout))
        while self.read(0.5):
            assert time.monotonic() < end, f"no end within {timeout} s"


def quote(text):
    return urllib.parse.quote(text, safe="")


class Api:
    contract = None

    def __init__(self, server, source=None):
        """SOURCE: the address it comes from."""
        self.server, self.source = server, source
        self.cookie = self.csrf = self.token = self.password = None
        Api.contract = Api.contract or Contract()

    def connect(self):
        return http.client.HTTPConnection(
            self.server.address, self.server.ports["console"], timeout=120,
            source_address=self.source and (self.source, 0))

    def raw(self, method, target, body=None, headers=None):
        """As it is: nothing is added and nothing is checked."""
        connection = self.connect()
        try:
            connection.request(method, target, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def headers(self, method, more):
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        elif self.cookie:
            headers["Cookie"] = f"splitmail_session={self.cookie}"
            if method in WRITES:
                headers["X-CSRF-Token"] = self.csrf
        headers.update(more or {})
        return headers

    def request(self, method, path, body=None, status=None, headers=None,
                **query):
        headers = self.headers(method, headers)
        if body is not None:
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        target = PREFIX + path
        if query:
            target += "?" + urllib.parse.urlencode(query)
        answer = self.raw(method, target, body, headers)
        self.contract.check(method, path, answer)
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (path, name)
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in answer.headers
        wanted = (status,) if isinstance(status, int) else status or (
            200, 201, 204)
        assert answer.status in wanted, (f"{method} {path}: {answer.status}, "
                                         f"not {wanted}: {answer.text}")
        return answer

    def get(self, path, status=200, **more):
        return self.request("GET", path, status=status, **more)

    def put(self, path, body=None, status=None, **more):
        return self.request("PUT", path, body, status, **more)

    def patch(self, path, body, status=200, **more):
        return self.request("PATCH", path, body, status, **more)

    def post(self, path, body, status=None, **more):
        return self.request("POST", path, body, status, **more)

    def delete(self, path, status=204, **more):
        return self.request("DELETE", path, status=status, **more)

    def events(self, topics, status=200, **query):
        """An open stream; close it."""
        query = urllib.parse.urlencode({"topics": topics, **query})
        events = Events(self, f"{PREFIX}/events?{query}")
        if events.status != 200:
            events.close()
        assert events.status == status, events.status
        return events

    def new_token(self, name, scope="read", status=201, **more):
        """With the password of the sign-in."""
        return self.post("/tokens", {"name": name, "scope": scope,
                                     "password": self.password, **more},
                         status)

    def sign_in(self, name, password, code=None, status=201, **query):
        self.password = password
        body = {"name": name, "password": password}
        if code is not None:
            body["code"] = code
        answer = self.post("/session", body, status, **query)
        if answer.status == 201:
            self.cookie = re.match(r"splitmail_session=(\w+);",
                                   answer.headers["set-cookie"])[1]
            self.csrf = answer.json["csrf_token"]
        return answer

    def job(self, body):
        """Ask for a job; it as it is at once."""
        answer = self.post("/users/bulk", body, status=202)
        assert answer.headers["location"] == \
            f"{PREFIX}/jobs/{answer.json['id']}"
        return answer.json

    def wait_for_job(self, job, until=None, timeout=120):
        """The job once it has ended, or once UNTIL(job)."""
        def look():
            seen = self.get(f"/jobs/{job['id']}").json
            assert seen["changed"] + seen["refused"] <= seen["done"]
            assert seen["done"] <= seen["total"]
            ended = seen["ended_at"] is not None
            assert ended == (seen["state"] in ("done", "cancelled", "failed"))
            if until:
                assert not ended, f"it has ended too early: {seen}"
            return seen if (until(seen) if until else ended) else None
        return wait_until(look, timeout, f"job {job['id']}", pause=0.02)

    def finish(self, body):
        """Ask for a job, wait for its end; the job, and its refusals."""
        job = self.wait_for_job(self.job(body))
        return job, self.get(f"/jobs/{job['id']}/refusals",
                             limit=500).json["items"]

    def refused(self, method, path, body, field, *words, **more):
        """422 at FIELD with a sentence that has all the WORDS."""
        answer = self.request(method, path, body, 422, **more)
        assert answer.json.get("field") == field, answer.text
        for word in words:
            assert word in answer.json["detail"], answer.text
        return answer


def fetch(server, path, **headers):
    """As a browser does: the answer, and its bytes."""
    connection = Api(server).connect()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body
