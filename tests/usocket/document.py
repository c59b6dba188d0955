"""docs/usocket.md's table is true: each name stands in the façade's headers, those that MicroPython
does not have stand nowhere, each test that is linked is in its file, and each file linked is there."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "scripts/lint")]

from checks import check, finish  # noqa: E402
import sources  # noqa: E402

DOCUMENT = ROOT / "docs/usocket.md"
HEADERS = "\n".join(
    sources.code_only(path.read_text()) for path in sorted((ROOT / "facade/usocket").glob("*.hpp")))
LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
# What Python has and C++ writes otherwise.
NOT_NAMES = {"with", "register", "str"}


def rows(text):
    table = text[text.index("## The table"):]
    for line in table.splitlines():
        if line.startswith("| ") and not line.startswith("| name "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def names(cell):
    """`uselect::poll` is poll; `socket(af, type)` socket; `SO_*` a pattern that others stand for."""
    for code in re.findall(r"`([^`]+)`", cell):
        word = re.match(r"[\w:]+", code).group(0).split("::")[-1]
        if not code.endswith("*") and word not in NOT_NAMES:
            yield word


def declared(name):
    """As a function, a type, a constant or a member; not only in a call of another's."""
    return re.search(rf"\b{name}\b\s*[({{=;:]|\b(class|struct)\s+{name}\b", HEADERS) is not None


def test_cases(path):
    """Their names, put together from strings on several lines."""
    text = path.read_text()
    for match in re.finditer(r'TEST_CASE\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)\)', text):
        yield "".join(re.findall(r'"((?:\\.|[^"\\])*)"', match.group(1))).replace('\\"', '"')


def main():
    text = DOCUMENT.read_text()
    found = list(rows(text))
    check("the table has its rows", len(found) >= 42, len(found))
    check("a name that is nowhere would be seen", not declared("recieve") and declared("recv"))
    for row in found:
        cell, documents, shown = row[0], row[1:6], row[6]
        check(f"{cell}: five documents, each with a word for it",
              len(row) == 7 and all(each in ("✓", "no", "—") for each in documents) and
              set(documents) != {"—"}, row)
        if "no" in documents:
            check(f"{cell} is in no namespace", not re.search(
                rf"\b(?:class|struct|using)\s+(?:{'|'.join(names(cell))})\b", HEADERS))
            continue
        for name in names(cell):
            check(f"{name} is in the headers", declared(name))
        title, where = LINK.fullmatch(shown).groups()
        path = (DOCUMENT.parent / where).resolve()
        check(f"{where} has {title!r}", path.is_file() and title in test_cases(path))
    for title, where in LINK.findall(text):
        check(f"{where} is there", (DOCUMENT.parent / where).exists())
    beside = re.search(r"Beside the\ndocuments there are(.*?)\n\n", text, re.S).group(1)
    for name in names(beside):
        check(f"{name} is in the headers", declared(name))
    finish()


main()
