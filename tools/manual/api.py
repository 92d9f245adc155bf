"""The HTTP API's page, of openapi.json: each operation with a request that can
be made as it stands."""

import json

import tables
from reference import cell, code, prose, table

METHODS = ("get", "put", "post", "patch", "delete")
# What stands in a path, by the name of its part.
PARTS = {"selector": "rsa-202611", "name": "example.org", "address": "alice@example.org",
         "alias": "a.doe@example.org", "member": "bob@example.org", "id": "1",
         "query": "alice"}
# ...where that is something else: by what stands before it.
OTHERS = {"systems": "exchange", "filters": "rspamd", "administrators": "jane",
          "groups": "team@example.org", "shared": "office@example.org"}


# Answers that are said once.
EVERYWHERE = {"400": "Malformed", "401": "NotSignedIn", "403": "Forbidden",
              "415": "MediaType", "422": "Refused", "503": "Trouble"}


def anchor(schema):
    return f"schema-{schema.lower()}"


def resolved(document, value):
    while "$ref" in value:
        at = document
        for part in value["$ref"].split("/")[1:]:
            at = at[part]
        value = at
    return value


def path_example(path):
    parts = path.split("/")
    for i, part in enumerate(parts):
        if part.startswith("{"):
            parts[i] = OTHERS.get(parts[i - 1]) or PARTS[part[1:-1]]
    return "/".join(parts)


def body_example(document, operation):
    """None: it has no body."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return resolved(document, schema)["examples"][0] if schema else None


def query_example(document, operation):
    """What a request has to say behind '?'."""
    needed = [p for p in (resolved(document, p)
                          for p in operation.get("parameters", []))
              if p["in"] == "query" and p.get("required")]
    words = {"topics": "overview", "address": "alice@example.org",
             "domain": "example.org"}
    return "?" + "&".join(f"{p['name']}={words[p['name']]}"
                          for p in needed) if needed else ""


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method], item.get("parameters", [])


def request(document, path, method, operation):
    lines = ["curl"]
    if method != "get":
        lines[0] += f" -X {method.upper()}"
    if operation.get("security") == []:
        lines[0] += " -c cookies" if method == "post" else ""
    elif operation["operationId"] == "signOut" or \
            "Not with a bearer token" in operation.get("description", ""):
        lines[0] += ' -b cookies -H "X-CSRF-Token: $CSRF"'
    else:
        lines[0] += ' -H "Authorization: Bearer $TOKEN"'
    body = body_example(document, operation)
    if body is not None:
        lines.append('-H "Content-Type: application/json"')
        text = json.dumps(body, ensure_ascii=False)
        lines.append("-d '" + text.replace("'", "'\\''") + "'")
    url = ("http://127.0.0.1:8025/api/v1" + path_example(path) +
           query_example(document, operation))
    lines.append(f"'{url}'" if "?" in url else url)
    return " \\\n    ".join(lines)


def parameters(document, given):
    rows = []
    for each in given:
        p = resolved(document, each)
        name = p["name"] if p["in"] != "query" else f"?{p['name']}="
        rows.append([code(name), p["in"], cell(p.get("description", ""))])
    return table(["Parameter", "in", "What it is"], rows) + "\n" if rows else ""


def kind_of(schema):
    kind = schema.get("type", "")
    if "$ref" in schema:
        return schema["$ref"].split("/")[-1]
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "enum" in schema:
        return ", ".join(str(word) for word in schema["enum"])
    return " or ".join(kind) if isinstance(kind, list) else kind


def members(document, schema):
    schema = resolved(document, schema)
    rows = [[code(name), cell(kind_of(s)), cell(s.get("description", ""))]
            for name, s in schema.get("properties", {}).items()]
    return table(["Member", "Type", "What it is"], rows) + "\n" if rows else ""


def answers(document, operation):
    text = []
    for status, answer in operation["responses"].items():
        answer = resolved(document, answer)
        schema = answer.get("content", {}).get("application/json",
                                               {}).get("schema", {})
        kind = kind_of(schema)
        if status in EVERYWHERE:
            continue
        words = prose(answer["description"].rstrip("."))
        if "$ref" in schema and kind != "Problem":
            words += f": [{kind}](#{anchor(kind)})"
        text.append(f"{status} {words}")
    return "Answers: " + "; ".join(text) + ".\n\n"


def operation_text(document, path, method, operation, common):
    text = f"### {operation['summary']}\n\n"
    text += f"`{method.upper()} /api/v1{path}`\n\n"
    if operation.get("description"):
        text += prose(operation["description"]) + "\n\n"
    text += parameters(document, common + operation.get("parameters", []))
    text += f"```sh\n{request(document, path, method, operation)}\n```\n\n"
    return text + answers(document, operation)


def everywhere(document):
    return "\n".join(
        f"* {status}: " + prose(document["components"]["responses"][name]
                               ["description"])
        for status, name in EVERYWHERE.items()) + "\n"


def page():
    document = tables.api()
    text = f"""# HTTP API

{prose(document['info']['description'])}

The same for programs, of the server itself: `/api/v1/openapi.json` (OpenAPI 3.1). Scripts sign
in with a token, made in the account of an administrator or by

```sh
TOKEN=$(splitmail admin token create admin0 "my script")
```

What changes a session or an account itself is done by whoever has signed in with a password: the
cookie, and the `csrf_token` of the answer in the header X-CSRF-Token.

Any operation may answer

{everywhere(document)}
"""
    for tag in document["tags"]:
        text += f"## {tag['name'].capitalize()}\n\n{prose(tag['description'])}\n\n"
        for path, method, operation, common in operations(document):
            if operation["tags"][0] == tag["name"]:
                text += operation_text(document, path, method, operation,
                                       common)
    text += "## What is sent and answered\n\n"
    for name, schema in document["components"]["schemas"].items():
        rows = members(document, schema)
        if rows:
            text += f"### {name} {{#{anchor(name)}}}\n\n"
            text += prose(schema.get("description", "")) + "\n\n" + rows
    return text
