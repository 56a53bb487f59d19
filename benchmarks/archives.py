"""A made-up archive that looks like the real ones: of any size, and the same each time.

Modelled on what was read of them: 1 to 5 kB a file, nine in ten with a picture, half with related stories, all with
sealed text; a few outlets have most of the stories and a long tail of others the rest; 20 topics; entities, quotes and
dashes in the texts. At most 400 files describe outlets, some with a logo that lies in the tree. Four stories in a
hundred are not in the house style.
"""

from __future__ import annotations

import os
import random
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = [f"Topic {number}" for number in range(20)]
OUTLETS = 400
LOGOS = 10
SYLLABLES = [
    first + second for first in "bdfgklmnprstvwz" for second in ("a", "e", "i", "o", "u", "an", "er", "in", "or")
]
ODDITIES = ["&#8217;s", "“quoted”", "– at last –", "&amp;", 'a \\"word\\"', "naïve", "東京", "🚋", "100 %", "it's: so"]


def write_archive(site: Path, count: int) -> None:
    """`count` files below `site`, and some logos. All seem to have been there for a while."""
    dice = random.Random(2026)  # noqa: S311  (repeatable, not secret)
    topics, outlets = min(len(TOPICS), count // 20), min(OUTLETS, count // 20)
    for number in range(topics):
        _write(site / f"_data/topics/{number:02}-topic.yaml", _topic(number))
    for number in range(outlets):
        _write(site / f"_data/organizations/{_domain(number)}.md", _outlet(dice, number))
    for number in range(min(LOGOS, outlets)):
        _draw(site / _logo(number).removeprefix("/"), number)
    for number in range(count - topics - outlets):
        moment = NEWEST - timedelta(minutes=37 * number)
        text = STYLES.get(number % 100, str)(_story(dice, number, moment))
        _write(site / f"_news/{moment:%Y-%m-%d}-story-{number}.md", text)


def edit_titles(site: Path, share: float) -> None:
    """An edit of this share of the stories."""
    for file in _some_stories(site, share):
        _write(file, _text(file).replace("title: ", "title: Edited ", 1).replace('Edited "', '"Edited ', 1))


def seal_anew(site: Path, share: float) -> None:
    """What a source does to its stories each hour: another seal and another heat, here for this share of them."""
    dice = random.Random(2027)  # noqa: S311
    for file in _some_stories(site, share):
        lines = _text(file).split("\n")
        changed = {"heat": str(dice.randint(0, 180)), "secured": f'"{_seal(dice)}"'}
        keys = [line.partition(":")[0] for line in lines]
        _write(
            file,
            "\n".join(
                f"{key}: {changed[key]}" + "\r" * line.endswith("\r") if key in changed else line
                for key, line in zip(keys, lines, strict=True)
            ),
        )


def _some_stories(site: Path, share: float) -> list[Path]:
    """Spread evenly."""
    files = sorted(site.glob("_news/*.md"))
    return [file for number, file in enumerate(files) if int(number * share) < int((number + 1) * share)]


def _text(file: Path) -> str:
    return file.read_bytes().decode()


def _write(file: Path, text: str) -> None:
    """As if it had been written long ago, but later than what was there before: an importer need not doubt its time."""
    before = file.stat().st_mtime if file.exists() else NEWEST.timestamp() - 86400
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    os.utime(file, (before + 60, before + 60))


def _draw(file: Path, number: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (50, 50), (number * 20, 80, 160)).save(file)


# --- What files say -----------------------------------------------------------------------------


def _story(dice: random.Random, number: int, moment: datetime) -> str:
    outlet = _any_outlet(dice)
    kind = "video" if dice.random() < 0.03 else "article"
    address = f"https://{_domain(outlet)}/{moment:%Y/%m}/{'-'.join(_words(dice, 6))}-{number}/"
    score = dice.randint(20, 180)
    parts = [
        f'---\ncategory: news\ntitle: "{_sentence(dice, 9)}"\nexcerpt: "{_sentence(dice, dice.randint(12, 45))}"\n',
        f'publishedDateTime: {moment:%Y-%m-%dT%H:%M:%SZ}\noriginalUrl: "{address}"\nwebUrl: "{address}"\n',
        f'ampWebUrl: "{address}amp/"\ncdnAmpWebUrl: "https://cdn.example/c/s/{address[8:]}amp/"\n'
        if dice.random() < 0.05
        else "",
        f"type: {kind}\nquality: {score}\nheat: {dice.choice([-1, score])}\n",
        f"published: {'true' if dice.random() < 0.65 else 'false'}\n\n",
        f'featuredContent: "<iframe src=\\"https://video.example/{number}\\"></iframe>"\n\n' if kind == "video" else "",
        f"provider:\n{_provider(dice, outlet, indent='  ')}\n",
        f"topics:\n{_topics(dice)}\n",
        f"images:\n{_picture(dice, str(number), indent='  ')}\n" if dice.random() < 0.93 else "",
        _all_related(dice, number, moment),
        f'secured: "{_seal(dice)}"\n---\n\n',
    ]
    return "".join(parts)


def _provider(dice: random.Random, outlet: int, *, indent: str) -> str:
    text = f"{indent}name: {_name(outlet)}\n{indent}domain: {_domain(outlet)}\n"
    if outlet % 6:
        text += f'{indent}images:\n{indent}  - url: "https://site.example/logos/{_domain(outlet)}-50x50.jpg"\n'
        text += f"{indent}    width: 50\n{indent}    height: 50\n"
    if dice.random() < 0.1:
        text += f"{indent}authors:\n{indent}  - name: {' '.join(_words(dice, 2)).title()}\n"
    return text


def _topics(dice: random.Random) -> str:
    return "".join(f"  - {topic}\n" for topic in dice.sample(TOPICS, dice.choices([1, 2, 3], [75, 22, 3])[0]))


def _picture(dice: random.Random, name: str, *, indent: str) -> str:
    return (
        f'{indent}- url: "https://pictures.example/{dice.randint(2015, 2025)}/{name}-{dice.randint(100, 999)}.jpg"\n'
        f"{indent}  width: {dice.choice([928, 1200, 1920])}\n{indent}  height: {dice.choice([582, 630, 1080])}\n"
        f"{indent}  isCached: true\n"
    )


def _all_related(dice: random.Random, number: int, moment: datetime) -> str:
    count = dice.choices([0, 1, 2, 3, 6], [50, 15, 20, 12, 3])[0]
    stories = "".join(_related(dice, f"{number}-{index}", moment) for index in range(count))
    return f"related:\n{stories}\n" if stories else ""


def _related(dice: random.Random, name: str, moment: datetime) -> str:
    outlet = _any_outlet(dice)
    return (
        f'  - title: "{_sentence(dice, 9)}"\n    excerpt: "{_sentence(dice, 40)}"\n'
        f"    publishedDateTime: {moment - timedelta(minutes=dice.randint(1, 900)):%Y-%m-%dT%H:%M:%SZ}\n"
        f'    webUrl: "https://{_domain(outlet)}/{"-".join(_words(dice, 7))}-{name}"\n    type: article\n'
        f"    provider:\n      name: {_name(outlet)}\n      domain: {_domain(outlet)}\n"
        f"    quality: {dice.randint(20, 99)}\n    images:\n{_picture(dice, name, indent='      ')}"
    )


def _outlet(dice: random.Random, number: int) -> str:
    logo = f"images:\n  - url: {_logo(number)}\n    width: 50\n    height: 50\n" if number < LOGOS else ""
    return (
        f"---\ntaxonomy: organization\n_id: {_domain(number)}\nname: {_name(number)}\ndomain: {_domain(number)}\n"
        f"description: {' '.join(_words(dice, 12))}.\n{logo}---\n"
    )


def _topic(number: int) -> str:
    return (
        f"taxonomy: topic\n_id: topic-{number}\nname: {TOPICS[number]}\nkeywords:\n  - word {number}\n"
        f'hashtags:\n  - "#Topic{number}"\nservices:\n  news: https://site.example/api/news/topic-{number}/\n'
    )


def _domain(outlet: int) -> str:
    return f"outlet{outlet}.example"


def _name(outlet: int) -> str:
    return f"Outlet {outlet}"


def _logo(outlet: int) -> str:
    return f"/assets/images/organizations/{_domain(outlet)}-50x50.png"


def _any_outlet(dice: random.Random) -> int:
    """One of a few mostly, and of very many now and then."""
    return int(dice.paretovariate(0.8)) % (2 * OUTLETS)


def _sentence(dice: random.Random, count: int) -> str:
    words = _words(dice, count)
    if dice.random() < 0.4:
        words[dice.randrange(count)] = dice.choice(ODDITIES)
    return " ".join(words).capitalize()


def _words(dice: random.Random, count: int) -> list[str]:
    return ["".join(dice.choices(SYLLABLES, k=length)) for length in dice.choices([1, 2, 3, 4], k=count)]


def _seal(dice: random.Random) -> str:
    """Ciphertext and IV, as long as a sealed copy of the story's own text would be."""
    return ";".join(b64encode(dice.randbytes(size)).decode() for size in (dice.choice([288, 384, 512, 720]), 16))


# --- Other styles than the house's --------------------------------------------------------------


def _hand_written(text: str) -> str:
    """Lists that are not indented, single quotes, a comment, an offset, and a body."""
    lines = text.replace("  - Topic", "- Topic").replace("Z\noriginalUrl", "+00:00  # by hand\noriginalUrl").split("\n")
    swapped = [line.replace('"', "'") if line.startswith(("originalUrl", "webUrl")) else line for line in lines]
    return "\n".join(swapped) + "What the editor had to say.\n"


STYLES: dict[int, Callable[[str], str]] = {
    11: lambda text: text.replace("\n", "\r\n"),
    33: lambda text: f"\ufeff{text}",
    55: _hand_written,
    77: lambda text: text.replace('secured: "', "secured: '").replace('"\n---', "'\n---"),
}
