"""`messages`: the catalogue of the pages' strings, from their source. Needs the tools of developers (Babel)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation.template import templatize

from coordination.web import labels

WEB = Path(labels.__file__).parent
ENGLISH_ONLY = {"admin.py", "desk"}  # the administration: names of files and folders
_CALLS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"}
_START = re.compile(r"\b(n?gettext|_)\(")

Message = str | tuple[str, str]  # singular and plural


def catalogue_path(language: str, ending: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / f"django.{ending}"


def messages() -> dict[Message, list[tuple[str, int]]]:
    """Every string of the pages that is to be translated, with the lines on which it stands."""
    found: dict[Message, list[tuple[str, int]]] = {}
    for path in sorted(WEB.rglob("*.py")):
        if not ENGLISH_ONLY & set(path.relative_to(WEB).parts) and "management" not in path.parts:
            _add(found, path, _in_python(path.read_text()))
    for path in sorted((WEB / "templates").rglob("*.*")):
        if not ENGLISH_ONLY & set(path.relative_to(WEB).parts):
            _add(found, path, _in_template(path.read_text(), str(path)))
    for label in sorted(labels.labels()):
        found.setdefault(label, []).append(("coordination/web/labels.py", 1))
    return found


def _add(found: dict[Message, list[tuple[str, int]]], path: Path, those: Iterator[tuple[Message, int]]) -> None:
    name = str(path.relative_to(WEB.parent.parent))
    for message, line in those:
        found.setdefault(message, []).append((name, line))


def _in_python(source: str) -> Iterator[tuple[Message, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _is_marked(node) and (message := _message(node)):
            yield message, node.lineno


def _is_marked(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in _CALLS


def _in_template(source: str, name: str) -> Iterator[tuple[Message, int]]:
    code = templatize(source, origin=name)
    for start in _START.finditer(code):
        end = code.index(")", start.end())
        while (call := _parsed(code[start.start() : end + 1])) is None:
            end = code.index(")", end + 1)
        if message := _message(call):
            yield message, code.count("\n", 0, start.start()) + 1


def _parsed(text: str) -> ast.Call | None:
    try:
        node = ast.parse(text.replace("\n", " "), mode="eval").body
    except SyntaxError:
        return None
    return node if isinstance(node, ast.Call) else None


def _message(call: ast.Call) -> Message | None:
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    plural = isinstance(call.func, ast.Name) and call.func.id.startswith("ngettext")
    if not texts:
        return None
    return (texts[0], texts[1]) if plural else texts[0]


class Command(BaseCommand):
    help = "Bring the catalogue of a language to the strings of the pages, and compile it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--language", default="fr", help="(default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        from babel.messages import mofile, pofile

        source = catalogue_path(options["language"], "po")
        catalogue = read(source, options["language"])
        lacking = update(catalogue)
        with source.open("wb") as file:
            pofile.write_po(file, catalogue, width=120, sort_output=True, omit_header=False)
        with catalogue_path(options["language"], "mo").open("wb") as file:
            mofile.write_mo(file, catalogue)
        self.stdout.write(f"{len(catalogue)} strings, {len(lacking)} without a translation")
        for message in lacking:
            self.stdout.write(f"  {message!r}")


def read(source: Path, language: str) -> Any:
    from babel.messages import pofile

    with source.open("rb") as file:
        return pofile.read_po(file, locale=language, domain="django")


def update(catalogue: Any) -> list[Message]:
    """New strings come in, those that are gone go, nothing is guessed; what has no translation."""
    wanted = messages()
    for known in [each.id for each in catalogue if each.id and each.id not in wanted]:
        catalogue.delete(known)
    for message, places in wanted.items():
        kept = catalogue.get(message[0] if isinstance(message, tuple) else message)
        lines = [(name, 0) for name in dict.fromkeys(name for name, _line in places)]
        if kept is None:
            catalogue.add(message, locations=lines)
        else:
            kept.locations = lines
    return [each.id for each in catalogue if each.id and not _is_translated(each)]


def _is_translated(message: Any) -> bool:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(texts) and not message.fuzzy
