"""PANalytical xrdml, Bruker brml and Rigaku rasx: geddes reads the points, the wavelengths stand in the XML."""

from __future__ import annotations

from xml.etree import ElementTree

from paperlib.datasets.patterns_read.beam import Beam, length, lines
from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.scan import Scan, several
from paperlib.datasets.patterns_read.xml_files import Archive, root_of, text_of


def xrdml(source: Opened) -> Scan:
    """PANalytical: ``usedWavelength`` holds Kα1, Kα2 and their ratio, and which of the lines was intended."""
    root = root_of(source, source.content)
    x, y = source.points("pattern.xrdml")
    scans = sum(len(measurement.findall("scan")) for measurement in root.findall("xrdMeasurement"))
    return Scan("xrdml", x, y, "degrees", _xrdml_beam(root), several(scans))


def _xrdml_beam(root: ElementTree.Element) -> Beam:
    used = next(root.iter("usedWavelength"), None)
    if used is None:
        return Beam(radiation="xray")
    of = {line.tag: length(line.text, line.get("unit")) for line in used if line.tag.startswith("k")}
    if "beta" in used.get("intended", "").lower():
        return lines(of.get("kBeta", 0.0))
    return lines(of.get("kAlpha1", 0.0), of.get("kAlpha2", 0.0), _number(text_of(used, "ratioKAlpha2KAlpha1")))


def zipped(source: Opened) -> Scan:
    """Bruker brml or Rigaku rasx, told apart by what the archive holds. Raises PatternError for another archive."""
    archive = Archive(source)
    if any(name.endswith("DataContainer.xml") for name in archive.names):
        return _brml(source, archive)
    if any(name == "root.xml" for name in archive.names):
        return _rasx(source, archive)
    raise source.error("an archive, neither brml nor rasx; unpack it and give the files in it one by one")


def _brml(source: Opened, archive: Archive) -> Scan:
    """Bruker: the tube stands with the data, or with the set-up; ``Value`` and ``Unit`` are attributes."""
    x, y = source.points("pattern.brml")
    beam, scans = Beam(radiation="xray"), 0
    for root in archive.documents("DataContainer.xml", "RawData0.xml", "MeasurementContainer.xml"):
        for listed in root.iter("RawDataReferenceList"):
            scans += len(listed)
        names = ("WaveLengthAlpha1", "WaveLengthAlpha2", "WaveLengthAverage")
        alpha1, alpha2, mean = (_attribute_length(root, name) for name in names)
        if not beam.wavelength and (alpha1 or mean):
            ratio = next(root.iter("WaveLengthRatio"), None)
            beam = lines(alpha1, alpha2, None if ratio is None else _number(ratio.get("Value", "")), mean)
    return Scan("brml", x, y, "degrees", beam, several(scans))


def _attribute_length(root: ElementTree.Element, tag: str) -> float:
    element = next(root.iter(tag), None)
    return 0.0 if element is None else length(element.get("Value"), element.get("Unit"))


def _rasx(source: Opened, archive: Archive) -> Scan:
    """Rigaku: wavelengths in Å with the generator; the wave type says whether Kα2 was there. The name of the member is
    misspelt in the files."""
    x, y = source.points("pattern.rasx")
    beam = Beam(radiation="xray")
    for root in archive.documents("MesurementConditions0.xml", "MeasurementConditions0.xml"):
        alpha1, alpha2 = (length(text_of(root, f"WavelengthK{name}")) for name in ("alpha1", "alpha2"))
        beam = of_wave_type(text_of(root, "WaveType"), alpha1, alpha2, length(text_of(root, "WavelengthKbeta")))
        break
    profiles = [name for name in archive.names if "/Profile" in name and name.lower().endswith(".txt")]
    if not profiles:
        raise source.error(f"a rasx file without a profile; {EXPORT}")
    return Scan("rasx", x, y, "degrees", beam, several(len(profiles)))


def of_wave_type(kind: str, alpha1: float, alpha2: float, beta: float) -> Beam:
    """The lines of a Rigaku generator: ``Ka`` is the doublet, ``Ka1`` its first line alone, ``Kb`` Kβ."""
    kind = kind.strip().lower()
    if kind.startswith("kb"):
        return lines(beta)
    return lines(alpha1, 0.0 if kind == "ka1" else alpha2)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
