"""Reads the template as CloudFormation would have it after its transforms: loops unrolled, names looked up, Globals
given to every function. For tools that pass over loops: `unroll.py` prints it as JSON.

It knows what this template uses, no more; `cfn-lint` and the deployment judge the grammar.
"""

import json
import re
import sys
from pathlib import Path

import yaml

TEMPLATE = Path(__file__).parent / "template.yaml"


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML with CloudFormation's short forms, and no key twice."""


def short_form(loader, tag, node):
    read = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence, "mapping": loader.construct_mapping}
    value = read[node.id](node) if node.id == "scalar" else read[node.id](node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag == "Ref" else f"Fn::{tag}": value}


def members(loader, node):
    read = {}
    for key, value in loader.construct_pairs(node, deep=True):
        joined(read, key, value)
    return read


Loader.add_multi_constructor("!", short_form)
Loader.add_constructor("tag:yaml.org,2002:map", members)


def joined(members, key, value):
    if key in members:
        raise SystemExit(f"{key} is there twice")
    members[key] = value


def unrolled(text):
    """The template in `text`."""
    template = yaml.load(text, Loader)
    for part in ("Resources", "Outputs"):
        template[part] = expand(template[part], {}, template["Mappings"])
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"] = merged(template["Globals"]["Function"], resource["Properties"])
    return template


def expand(node, names, mappings):
    """A node in which `names` stand for what their loops have come to."""
    if isinstance(node, list):
        return [expand(member, names, mappings) for member in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (function, argument), = node.items()
        if function == "Fn::Sub" and isinstance(argument, str):
            text = filled_in(argument, names)
            return {function: text} if "${" in text else text
        if function == "Ref":
            # What a loop stands for, or the name of one of its copies.
            named = expand(argument, names, mappings)
            return names.get(named, {"Ref": named})
        if function == "Fn::GetAtt":
            return {function: expand(argument, names, mappings)}
        if function == "Fn::FindInMap":
            where, first, second, *default = expand(argument, names, mappings)
            found = mappings[where].get(first, {}).get(second)
            return found if found is not None else default[0]["DefaultValue"]
    all_ = {}
    for key, value in node.items():
        if key.startswith("Fn::ForEach::"):
            name, collection, copies = value
            for item in expand(collection, names, mappings):
                for key, copy in expand(copies, {**names, name: item}, mappings).items():
                    joined(all_, key, copy)
        else:
            joined(all_, filled_in(key, names), expand(value, names, mappings))
    return all_


def filled_in(text, names):
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", value))
    return text


def merged(general, own):
    """What a function says, over what holds for all."""
    both = {**general, **own}
    for key in general.keys() & own.keys():
        if isinstance(general[key], dict) and isinstance(own[key], dict):
            both[key] = merged(general[key], own[key])
    return both


if __name__ == "__main__":
    template = unrolled(TEMPLATE.read_text())
    for done in ("Mappings", "Globals"):
        del template[done]
    template["Transform"] = "AWS::Serverless-2016-10-31"
    json.dump(template, sys.stdout, indent=1, default=str)
