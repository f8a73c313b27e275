"""Small files as the public homes of measured patterns pack them, written by hand."""

import io
import json
import zipfile

import numpy as np


def zipped(members):
    """A zip archive of texts or bytes by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def xy(name="Testite", description="Powder", counts=range(12), extra=()):
    """A file of XY_RAW.zip: 5.00°, 5.01°, … and ``counts``."""
    described = [f"##DIFFRACTION SAMPLE DESCRIPTION={description}"] if description else []
    header = [f"##NAMES={name}", "##RRUFFID=R900001", "##IDEAL CHEMISTRY=NaCl", *described, *extra]
    return "\r\n".join([*header, *(f"{5 + 0.01 * k:.3f}, {n}" for k, n in enumerate(counts)), "##END=", ""])


def dif(symbol):
    """A file of DIF.zip."""
    return f"Testite\n      SPACE GROUP: {symbol}   \n      X-RAY WAVELENGTH:     1.541838\n     2-THETA   INTENSITY\n"


RRUFF = {
    "XY_RAW.zip": {
        "Testite__R900001-1__Powder__Xray_Data_XY_RAW__1.txt": xy(),
        "Otherite__R900002-1__Powder__Xray_Data_XY_RAW__2.txt": xy(
            "Otherite", counts=range(0, 40, 2), extra=["##X-RAY WAVELENGTH=0.7107"]
        ),
        "Computite__R900003-1__Powder__Xray_Data_XY_RAW__3.txt": xy("Computite", "Calculated from a single crystal"),
        "Crystalite__R900004-1__Powder__Xray_Data_XY_RAW__4.txt": xy("Crystalite", "Single Crystal, powder profile"),
        "Silentite__R900005-1__Powder__Xray_Data_XY_RAW__5.txt": xy("Silentite", ""),
        "Shortite__R900006-1__Powder__Xray_Data_XY_RAW__6.txt": xy("Shortite", counts=range(3)),
        "../../Escapite__R900007-1__Powder__Xray_Data_XY_RAW__7.txt": xy("Escapite"),
        "index.html": "<html></html>",
    },
    "DIF.zip": {
        "Testite__R900001-1__Powder__DIF_File__11.txt": dif("P2_1/c"),
        "Otherite__R900002-1__Powder__DIF_File__12.txt": dif("*Fm3m"),
        "Strangite__R900009-1__Powder__DIF_File__13.txt": dif("P7_1"),
    },
}
"""Archives of RRUFF: of seven samples two are measured and whole."""


def opxrd_pattern(phases=(), wavelengths=(1.54439, 1.54056), texts=True, **more):
    """A file of opxrd.zip; ``texts``: label and phases are JSON texts, as in most of its files."""
    info = dict(zip(("primary_wavelength", "secondary_wavelength"), wavelengths, strict=True))
    label = {"phases": [json.dumps(phase) if texts else phase for phase in phases], "xray_info": info}
    label |= {"is_simulated": more.pop("is_simulated", False)}
    pattern = {"two_theta_values": np.linspace(10, 20, 11).tolist(), "intensities": list(range(11))}
    return json.dumps(pattern | {"label": json.dumps(label) if texts else label, "metadata": "{}"} | more)


SALT = {"chemical_composition": "Na4 Cl4", "spacegroup": 225}

OPXRD = {
    "opxrd/CNRS/pattern_0.json": opxrd_pattern([SALT]),
    "opxrd/CNRS/pattern_1.json": opxrd_pattern([SALT, SALT], (0.5, None), texts=False),
    "opxrd/USC/pattern_0.json": opxrd_pattern([{"spacegroup": 999}], (None, None)),
    "opxrd/USC/pattern_1.json": opxrd_pattern(is_simulated=True),
    "opxrd/USC/pattern_2.json": "no json",
    "opxrd/USC/pattern_3.json": opxrd_pattern(intensities=[1.0]),
    "opxrd/USC/pattern_4.json": json.dumps([1, 2]),
    "opxrd/readme.txt": "hello",
}
