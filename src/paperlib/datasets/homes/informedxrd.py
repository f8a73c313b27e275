"""The benchmarks of InformedXRD, frozen selections of RRUFF, as Hugging Face keeps them: brought as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

from paperlib.datasets.homes.zips import LeftOut, leads_out
from paperlib.lab.asking import Manners, answer
from paperlib.lab.download import kept
from paperlib.lab.fetch import ChecksumError, mirrored
from paperlib.lab.progress import progress
from paperlib.lab.store import write_text

HOME = "https://huggingface.co"

DATASET = "informedxrd/informedxrd-benchmarks"


def files(folder: Path, revision: str, only: str, home: str, manners: Manners) -> Iterator[Path | LeftOut]:
    """The files of the data set at a revision whose path fits the pattern ``only``, brought into ``folder`` one by one.

    Each is compared with the checksum that Hugging Face states; which commit a revision such as ``main`` names is kept
    in ``listing.json``. A file that the server does not have, or that is not the stated one, is left out, and the next
    is brought. Raises ValueError for an answer that is no listing, ConnectionError where the server does not answer.
    """
    home = home.rstrip("/") or mirrored(HOME)
    url = f"{home}/api/datasets/{DATASET}/revision/{quote(revision, safe='')}?blobs=true"
    by_hand = f"Without a network: fetch the files of {HOME}/datasets/{DATASET} elsewhere and put them in {folder}"
    text = answer(url, manners, by_hand)
    try:
        listing = json.loads(text)
        stated = {file["rfilename"]: (_checksum(file), int(file["size"])) for file in listing["siblings"]}
        commit = quote(listing["sha"], safe="")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{url} did not answer with a listing but with {text[:60]!r}") from error
    write_text(folder / "listing.json", json.dumps(listing, indent=1) + "\n")
    wanted = [name for name in sorted(stated) if fnmatch(name, only)]
    for name in progress(wanted, desc="InformedXRD", unit="files"):
        if leads_out(name):
            yield LeftOut(name, "a name that leads out of the folder")
            continue
        checksum, size = stated[name]
        try:
            yield kept(
                f"{home}/datasets/{DATASET}/resolve/{commit}/{quote(name)}", folder / name, checksum, size, manners
            )
        except (FileNotFoundError, ChecksumError) as error:
            yield LeftOut(name, str(error))


def _checksum(file: dict) -> str:
    """Large files are known by SHA-256, the others by the name that git gives them."""
    large = file.get("lfs")
    return f"sha256:{large['sha256']}" if large else f"git:{file['blobId']}"
