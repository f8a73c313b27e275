"""Pattern files as instruments write them, small ones, written by the tests: places and keys stand here literally."""

import struct
import zipfile

import numpy as np

N = 601
TWO_THETA = np.round(10 + 0.1 * np.arange(N), 4)
"""10 to 70 degrees."""
COUNTS = np.round(50 + sum(900 * np.exp(-(((TWO_THETA - c) / 0.3) ** 2)) for c in (18.2, 31.7, 45.1, 58.8)))


def columns(x=TWO_THETA, y=COUNTS, separator=" ", decimals=4, comma=False, header=(), end="\n", esd=False):
    """Text with a row per point."""
    rows = []
    for a, b in zip(x, y, strict=True):
        row = [f"{a:.{decimals}f}", f"{b:.1f}", *([f"{abs(b) ** 0.5:.3f}"] if esd else [])]
        rows.append(separator.join(field.replace(".", ",") if comma else field for field in row))
    return end.join([*header, *rows, ""])


def numbers(values):
    return " ".join(f"{value:g}" for value in values)


def xrdml(
    wavelength='<kAlpha1 unit="Angstrom">1.5405980</kAlpha1><kAlpha2 unit="Angstrom">1.5444260</kAlpha2>'
    '<kBeta unit="Angstrom">1.3922500</kBeta><ratioKAlpha2KAlpha1>0.5000</ratioKAlpha2KAlpha1>',
    intended="K-Alpha 1",
    before="",
    scans=1,
):
    scan = (
        '<scan appendNumber="0" mode="Continuous" scanAxis="Gonio" status="Completed"><dataPoints>'
        '<positions axis="2Theta" unit="deg"><startPosition>10</startPosition><endPosition>70</endPosition></positions>'
        '<positions axis="Omega" unit="deg"><startPosition>5</startPosition><endPosition>35</endPosition></positions>'
        f'<counts unit="counts">{numbers(COUNTS)}</counts></dataPoints></scan>'
    )
    used = f'<usedWavelength intended="{intended}">{wavelength}</usedWavelength>' if wavelength else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        '<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.6" status="Completed">'
        f'<xrdMeasurement measurementType="Scan">{used}{scan * scans}</xrdMeasurement></xrdMeasurements>'
    )


BRUKER_TUBE = (
    '<Tube LogicName="T"><WaveLengthAlpha1 Unit="Å" Value="1.5406" /><WaveLengthAlpha2 Unit="Å" Value="1.54439" />'
    '<WaveLengthBeta Unit="Å" Value="1.39222" /><WaveLengthAverage Unit="Å" Value="1.54184" />'
    '<WaveLengthRatio Value="0.5" /><TubeMaterial>Cu</TubeMaterial></Tube>'
)


def brml(path, tube=BRUKER_TUBE, elsewhere="", scans=1):
    rows = "".join(f"<Datum>1,1,{a},{a / 2},{b}</Datum>" for a, b in zip(TWO_THETA, COUNTS, strict=True))
    raw = (
        '<?xml version="1.0" encoding="utf-8"?><RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<FixedInformation><Instrument>{tube}</Instrument></FixedInformation>"
        f'<DataRoutes><DataRoute RouteFlag="Measured">{rows}<DataViews>'
        '<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime" />'
        '<RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor" />'
        '<RawDataView xsi:type="VaryingRawDataView" Start="2" Length="2"><Varying>'
        '<FieldDefinitions AxisId="TwoTheta" /><FieldDefinitions AxisId="Theta" /></Varying></RawDataView>'
        '<RawDataView xsi:type="RecordedRawDataView" Start="4" Length="1" />'
        "</DataViews></DataRoute></DataRoutes></RawData>"
    )
    listed = "".join(f"<string>Experiment0/RawData{i}.xml</string>" for i in range(scans))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "Experiment0/DataContainer.xml",
            f"<DataContainer><RawDataReferenceList>{listed}</RawDataReferenceList></DataContainer>",
        )
        for i in range(scans):
            archive.writestr(f"Experiment0/RawData{i}.xml", raw)
        if elsewhere:
            archive.writestr("Experiment0/MeasurementContainer.xml", f"<M>{elsewhere}</M>")
    return path


def rasx(path, generator=None, profile=None):
    if generator is None:
        generator = (
            "<WaveType>Ka</WaveType><WavelengthKbeta>1.392246</WavelengthKbeta>"
            "<WavelengthKalpha1>1.540593</WavelengthKalpha1><WavelengthKalpha2>1.544414</WavelengthKalpha2>"
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Data0/Profile0.txt", columns(separator="\t") if profile is None else profile)
        archive.writestr(
            "Data0/MesurementConditions0.xml",
            "<MeasurementConditions><HWConfigurations><XrayGenerator><TargetName>Cu</TargetName>"
            f"{generator}</XrayGenerator></HWConfigurations><ScanInformation><AxisName>TwoThetaTheta</AxisName>"
            "</ScanInformation></MeasurementConditions>",
        )
        archive.writestr(
            "root.xml",
            '<Root><Data0 Type="Profile"><ContentHashList Name="Profile0.txt" />'
            '<ContentHashList Name="MesurementConditions0.xml" /></Data0></Root>',
        )
    return path


def uxd(wavelengths="_WL_UNIT='A'\n_WL1=1.540600\n_WL2=1.544390\n_WL3=1.392220\n_WLRATIO=0.500000\n", pairs=False):
    head = (
        f"; converted for Söhne\n_FILEVERSION=2\n_SAMPLE='x'\n{wavelengths}_ANODE='Cu'\n; range 1\n_DRIVE='COUPLED'\n"
    )
    if pairs:
        return f"{head}_2THETACOUNTS\n{columns()}"
    rows = "\n".join(numbers(COUNTS[i : i + 8]) for i in range(0, N, 8))
    return f"{head}_STEPTIME=1.0\n_STEPSIZE=0.1\n_START=10.0\n_RANGE_WL=1.540600\n_COUNTS\n{rows}\n"


def ras(kind="Ka"):
    return (
        '*RAS_DATA_START\n*RAS_HEADER_START\n*FILE_SAMPLE "x"\n*HW_XG_TARGET_NAME "Cu"\n'
        '*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"\n*HW_XG_WAVE_LENGTH_ALPHA2 "1.544414"\n'
        '*HW_XG_WAVE_LENGTH_BETA "1.392246"\n*HW_XG_WAVE_LENGTH_UNIT "Angstrom"\n'
        f'*MEAS_COND_XG_WAVE_TYPE "{kind}"\n*MEAS_SCAN_AXIS_X "TwoThetaTheta"\n*MEAS_SCAN_UNIT_X "deg"\n'
        f"*RAS_HEADER_END\n*RAS_INT_START\n{columns(esd=True)}*RAS_INT_END\n*RAS_DATA_END\n"
    )


def gsas(binning="CONST 1000.0 10.0 0.0 0.0 STD", comment="# made by a test"):
    rows = "\n".join("".join(f"{value:8.0f}" for value in COUNTS[i : i + 10]) for i in range(0, N, 10))
    return f"title of it\n{comment}\nBANK 1 {N} {-(-N // 10)} {binning}\n{rows}\n"


def pdcif(beam="_diffrn_radiation_wavelength 1.5406\n", x="_pd_meas_2theta_scan", values=TWO_THETA, counts=COUNTS):
    rows = "\n".join(f"{a:.5f} {'?' if np.isnan(b) else f'{b:.1f}(12)'}" for a, b in zip(values, counts, strict=True))
    return f"data_profile\n{beam}loop_\n{x}\n_pd_meas_counts_total\n{rows}\n"


def raw_1(alpha=(1.54056, 1.54439), following=0):
    """156 bytes, then single precision."""
    head = bytearray(156)
    head[:4] = b"RAW "
    struct.pack_into("<IffIIffff", head, 4, N, 1.0, 0.1, 0, 0, 10.0, 5.0, -1e6, -1e6)
    head[40:46] = b"sample"
    struct.pack_into("<ff", head, 72, *alpha)
    struct.pack_into("<I", head, 152, following)
    return bytes(head) + COUNTS.astype("<f4").tobytes()


def raw_2(alpha=(1.54056, 1.54439, 0.5), ranges=1):
    """256 bytes, a header of 60 bytes for each range, then single precision."""
    head = bytearray(256)
    head[:4] = b"RAW2"
    struct.pack_into("<H", head, 4, ranges)
    head[188:190] = b"Cu"
    struct.pack_into("<fff", head, 190, *alpha)
    each = bytearray(60)
    struct.pack_into("<HH4xfff", each, 0, 60, N, 1.0, 0.1, 10.0)
    return bytes(head) + (bytes(each) + COUNTS.astype("<f4").tobytes()) * ranges


def raw_3(mean=1.5418, alpha=(1.5406, 1.54439), ratio=0.5, ranges=1):
    head = bytearray(712)
    head[:8] = b"RAW1.01\0"
    struct.pack_into("<I", head, 12, ranges)
    head[608:610] = b"Cu"
    struct.pack_into("<5d", head, 616, mean, *alpha, 1.39222, ratio)
    each = bytearray(304)
    struct.pack_into("<II2d", each, 0, 304, N, 5.0, 10.0)
    struct.pack_into("<d", each, 176, 0.1)
    struct.pack_into("<I", each, 252, 4)
    return bytes(head) + (bytes(each) + COUNTS.astype("<f4").tobytes()) * ranges


def raw_4(mean=1.5418, alpha=(1.5406, 1.54439), ratio=0.5, ranges=1):
    head = bytearray(61)
    head[:8] = b"RAW4.00\0"
    note = struct.pack("<III", 10, 40, 0) + b"USER".ljust(24, b"\0") + b"me\0\0"
    tube = bytearray(120)
    struct.pack_into("<II", tube, 0, 30, 120)
    struct.pack_into("<5d", tube, 72, mean, *alpha, 1.39222, ratio)
    each = bytearray(160)
    each[32:46] = b"Locked Coupled"
    struct.pack_into("<ddI", each, 72, 10.0, 0.1, N)
    struct.pack_into("<I", each, 136, 4)
    return bytes(head) + note + bytes(tube) + (bytes(each) + COUNTS.astype("<f4").tobytes()) * ranges
