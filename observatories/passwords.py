"""First passwords, for people to read off a screen once."""

import secrets

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def readable_password(words: int = 5) -> str:
    """Syllables, such as muta-logi-…: 12 bits a word."""

    def word() -> str:
        return "".join(secrets.choice(letters) for letters in (_CONSONANTS, _VOWELS) * 2)

    return "-".join(word() for _ in range(words))
