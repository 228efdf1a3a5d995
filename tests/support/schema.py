"""The part of JSON Schema that docs/schemas uses: checks a value, and makes one. Standard library
only."""

import json
import pathlib

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schemas"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class SchemaError(AssertionError):
    pass


class Schema:
    def __init__(self, name):
        self.document = json.loads((SCHEMAS / f"{name}.json").read_text())

    def resolved(self, part):
        while "$ref" in part:
            part = self.document["$defs"][part["$ref"].rsplit("/", 1)[1]]
        return part

    def fields(self, definition):
        return self.document["$defs"][definition]["properties"]

    def check(self, value, part=None, where="$"):
        part = self.resolved(part or self.document)
        if "anyOf" in part:
            for choice in part["anyOf"]:
                try:
                    return self.check(value, choice, where)
                except SchemaError:
                    continue
            raise SchemaError(f"{where}: {value!r} is none of {part['anyOf']}")
        kind = part.get("type")
        if kind in ("integer", "number"):
            wanted = (int,) if kind == "integer" else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted):
                raise SchemaError(f"{where}: {value!r} is no {kind}")
            if value < part.get("minimum", value):
                raise SchemaError(f"{where}: {value!r} is below {part['minimum']}")
        elif kind and not isinstance(value, TYPES[kind]):
            raise SchemaError(f"{where}: {value!r} is no {kind}")
        if "enum" in part and value not in part["enum"]:
            raise SchemaError(f"{where}: {value!r} is none of {part['enum']}")
        if kind == "array":
            for index, item in enumerate(value):
                self.check(item, part["items"], f"{where}[{index}]")
        if kind == "object":
            self.check_object(value, part, where)
        return value

    def check_object(self, value, part, where):
        properties = part.get("properties", {})
        missing = set(part.get("required", ())) - set(value)
        if missing:
            raise SchemaError(f"{where}: {sorted(missing)} missing")
        for key, item in value.items():
            rest = part.get("additionalProperties", True)
            if key in properties:
                self.check(item, properties[key], f"{where}.{key}")
            elif rest is False:
                raise SchemaError(f"{where}: {key} is not known")
            elif isinstance(rest, dict):
                self.check(item, rest, f"{where}.{key}")

    def sample(self, part=None, depth=0):
        """A value with every field, valid."""
        part = self.resolved(part or self.document)
        if "anyOf" in part:
            return self.sample(part["anyOf"][0], depth)
        if "enum" in part:
            return part["enum"][0]
        kind = part.get("type")
        if kind == "object":
            rest = part.get("additionalProperties")
            if isinstance(rest, dict):
                return {"name": self.sample(rest, depth)}
            return {key: self.sample(item, depth) for key, item in part["properties"].items()}
        if kind == "array":
            # An answer may hold answers of its own kind.
            return [] if depth > 4 else [self.sample(part["items"], depth + 1)]
        return {"integer": 7, "number": 1.5, "string": "text", "boolean": True}[kind]
