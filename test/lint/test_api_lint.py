"""The linter of openapi.json (web/redocly.yaml): it finds nothing in the
document, and something in a document that was spoilt."""

import json
import os
import re
import subprocess

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
WEB = os.path.join(ROOT, "web")
DOCUMENT = os.path.join(ROOT, "src", "console", "openapi.json")

if not os.path.exists(os.path.join(WEB, "node_modules", "@redocly")):
    pytest.skip("no web/node_modules", allow_module_level=True)


def lint(*documents):
    done = subprocess.run(["node", "lint-api.mjs", *documents], cwd=WEB,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def drop(name):
    return lambda document, operation: operation.pop(name)


def unknown_tag(document, operation):
    operation["tags"] = ["nosuch"]


def no_errors(document, operation):
    for status in list(operation["responses"]):
        if status.startswith("4"):
            del operation["responses"][status]


def errors_of_another_kind(document, operation):
    operation["responses"]["404"] = {
        "description": "Not found.",
        "content": {"application/json": {"schema": {"type": "object"}}}}


def twice(document, operation):
    document["paths"]["/users"]["get"]["operationId"] = operation[
        "operationId"]


def unused(document, operation):
    document["components"]["schemas"]["Nobodys"] = {"type": "string"}


def wrong_default(document, operation):
    document["components"]["schemas"]["Kind"]["enum"] = [1]


def no_security(document, operation):
    del document["components"]["securitySchemes"]["bearer"]


def speechless_parameter(document, operation):
    del document["components"]["parameters"]["limit"]["description"]


SPOILT = [
    (drop("summary"), "operation-summary"),
    (drop("operationId"), "operation-operationId"),
    (drop("tags"), "rule/an-operation-has-one-tag"),
    (unknown_tag, "operation-tag-defined"),
    (no_errors, "operation-4xx-response"),
    (errors_of_another_kind, "operation-4xx-problem-details-rfc7807"),
    (twice, "operation-operationId-unique"),
    (unused, "no-unused-components"),
    (wrong_default, "no-enum-type-mismatch"),
    (no_security, "security-defined"),
    (speechless_parameter, "parameter-description"),
]


def test_what_is_wrong_is_named(tmp_path):
    for spoil, rule in SPOILT:
        with open(DOCUMENT) as file:
            document = json.load(file)
        spoil(document, document["paths"]["/domains"]["get"])
        path = tmp_path / f"{rule.replace('/', ' ')}.json"
        path.write_text(json.dumps(document, indent="\t"))
    # All in one run: starting the linter is most of its work.
    status, said = lint(*sorted(map(str, tmp_path.iterdir())))
    assert status == 1
    for _, rule in SPOILT:
        path = tmp_path / f"{rule.replace('/', ' ')}.json"
        findings = re.findall(r"^\[\d+\] .*" + re.escape(path.name) +
                              r":\d+:\d+ at .*(?:\n(?!\[\d+\]).*)*", said,
                              re.M)
        assert any(f"by the {rule} rule" in each for each in findings), (
            rule, said)


def test_nothing_is_wrong():
    status, said = lint()
    assert status == 0, said
