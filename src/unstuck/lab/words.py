"""Text in the two languages of the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Both:
    """The same said in English and in Simplified Chinese. Signs and formulas may be the same in both.

    >>> Both("loss", "损失").said("zh")
    '损失'
    """

    en: str
    zh: str

    def said(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def alike(text: str) -> Both:
    """What reads alike in both languages: signs, formulas, names of rules.

    >>> alike("η = 0.1").said("en")
    'η = 0.1'
    """
    return Both(text, text)
