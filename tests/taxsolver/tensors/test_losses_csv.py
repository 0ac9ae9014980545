"""Per-image losses as CSV."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from taxsolver import FileFormatError, InvalidInputError, ahp
from taxsolver.tensors.losses_csv import LossMatrix, read_losses


def read(folder: Path, content: str | bytes) -> LossMatrix:
    path = folder / "losses.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_losses(path)


def test_transfers_are_named_by_their_sources(tmp_path: Path) -> None:
    table = read(tmp_path, "self,normal, normal | edge_texture\n1,2,3\n4,5,6.5\n")
    assert table.transfers == (("self",), ("normal",), ("normal", "edge_texture"))
    assert table.names == ("self", "normal", "normal + edge_texture")
    assert table.losses.tolist() == [[1, 2, 3], [4, 5, 6.5]]
    assert table.losses.dtype == np.float64


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        "image,a,b\nfirst,1,2\n",
        "Image,a,b\n,1,2\n",
        b"\xef\xbb\xbfimage,a,b\r\nfirst,1,2\r\n",
        "a,b\n\n1,2\n\n",
        '"a","b"\n"1", 2 \n',
        'image,a,b\n"two\nlines",1,2\n',
        "\na,b\n1,2\n",
        ",a,b\n7,1,2\n",
        "Unnamed: 0,a,b\nfirst.png,1,2\n",
        "file;a;b\nfirst.png;1,0;2,00\n",
        "sep=\t\na\tb\n1\t2\n",
        "a,b\n1,2\n".encode("utf-16"),
        "a,b,\n1,2,\n",
    ],
    ids=[
        "plain",
        "image names",
        "empty image names",
        "bom and crlf",
        "blank lines",
        "quoted",
        "quoted newline",
        "blank line first",
        "numbered by pandas",
        "named and read by pandas",
        "semicolons and decimal commas",
        "tabs, stated",
        "utf-16",
        "empty column",
    ],
)
def test_ways_to_write_the_same_losses(tmp_path: Path, content: str | bytes) -> None:
    table = read(tmp_path, content)
    assert table.transfers == (("a",), ("b",))
    assert table.losses.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected the names of transfers, as in normal,normal|edge_texture"),
        ("image\nx\n", "line 1: expected the names of transfers"),
        ("a,,b\n1,2,3.5\n1,0.2,3.5\n", "line 1: column 2 has no name: name it, or delete it"),
        ("a|,b\n1,2\n", "line 1: a transfer has a source without a name, expected names as in normal"),
        (",a,b\n.5,1,2\n", "line 1: column 1 has no name: name it, or delete it"),
        ("a,b__c\n1,2\n", "line 1: 'b__c' may be one task or several: join sources with |"),
        ("a,'b + c|d'\n1,2\n", "line 1: "),
        ("a;b\n1,5;2.5\n", "line 2: a number with another decimal mark than in line 2"),
        (
            "a,b\n1,5,2,5\n",
            "line 2: not as many cells as there are columns: 4, expected 2 as in line 1: where commas",
        ),
        ("a;Self;self\n1;2;3\n", "line 1: the transfer 'self' is given twice"),
        ("a,b,a\n1,2,3\n", "line 1: the transfer 'a' is given twice"),
        ("a|b,c,b|a\n1,2,3\n", "line 1: the transfer 'b|a' is given twice"),
        ("a|a,b\n1,2\n", "line 1: a source is given twice in 'a|a'"),
        ("a,b\n1\n", "line 2: not as many cells as there are columns: 1, expected 2 as in line 1"),
        ("a,b\n1,2\n1,2,3\n", "line 3: not as many cells as there are columns: 3, expected 2"),
        ("image,a,b\n1,2\n", "line 2: not as many cells as there are columns: 2, expected 3"),
        ("a,b\n1,2\n1,many\n", "line 3: the loss of b is 'many', expected a number"),
        ("a,c|b\n1,\n", "line 2: the loss of c|b is '', expected a number"),
        ("a,b\n\n\n1,x\n", "line 4: "),
        ('image,a,b\n"two\nlines",1,2\nthree,x,2\n', "line 4: "),
        (b"a,\xe9\n1,2\n", "is not CSV text in UTF-8"),
        ('a,b\n"1,2\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=rf"losses\.csv,? {re.escape(message)}"):
        read(tmp_path, content)


@pytest.mark.parametrize("name", ["a|b", "a + b", '"a,b"', "a+b", "a__b", "\"['a', 'b']\""])
def test_two_sources_are_two_however_they_are_joined(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, f"Self,a,b,{name},Random\n1,2,3,4,5\n")
    assert table.transfers == (("self",), ("a",), ("b",), ("a", "b"), ("random",))


def test_losses_of_more_images_may_stand_below_with_the_same_headings(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n1,2\na,b\n3,4\n").losses.tolist() == [[1, 2], [3, 4]]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot read .*absent\.csv: No such file or directory"):
        read_losses(tmp_path / "absent.csv")
    with pytest.raises(FileFormatError, match="cannot read .*: Is a directory"):
        read_losses(str(tmp_path))


def test_names_in_the_file_name_the_losses_that_ahp_refuses(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b|c\n1,nan\n")
    with pytest.raises(InvalidInputError, match=r"the first is nan of transfer 'b \+ c' on image 0"):
        ahp(table.losses, table.names)
    with pytest.raises(InvalidInputError, match="losses hold no image"):
        ahp(read(tmp_path, "a,b\n").losses)
    with pytest.raises(InvalidInputError, match="losses hold 1 transfer"):
        ahp(read(tmp_path, "a\n1\n").losses)


def test_gain_and_quality_are_wins_against_the_controls_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text("image,a,b,self,scratch\n1,.1,.5,.2,.3\n2,.2,.2,.1,.2\n3,.4,.6,.3,.5\n4,.9,.1,.1,.5\n")
    matrix = read_losses(path)
    assert matrix.without_controls.transfers == (("a",), ("b",), ("self",))
    gain, quality = matrix.against("scratch", "pixels"), matrix.against("self")
    assert gain is not None
    assert quality is not None
    # a beats scratch on images 1 and 3 and ties on 2; b ties on 2 and wins 4; a beats self on 1; b ties on 4.
    assert gain.tolist() == [2.5 / 4, 1.5 / 4, 1.0]
    assert quality.tolist() == [1 / 4, 0.5 / 4, 0.5]
    assert matrix.against("pixels") is None
