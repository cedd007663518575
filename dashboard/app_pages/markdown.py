"""Text from outside in Streamlit's Markdown: shown as it is, never as markup."""

import re

_BLANK = re.compile(r"[^\S\u00a0]+")  # all blanks but those that hold words together
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|$<>~:&])")


def plain(text: str) -> str:
    """`text` with every character that Markdown, LaTeX or Streamlit's directives would act on escaped, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(_BLANK.split(text)).strip())
