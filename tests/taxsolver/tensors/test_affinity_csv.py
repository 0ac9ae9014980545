"""Tensors as CSV: exact both ways, published columns, and lines that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxsolver import AffinityTensor, FileFormatError, InvalidInputError, load_affinity
from taxsolver.tensors.affinity_csv import read_tensor_csv, tensor_from_csv, tensor_to_csv
from toys import toy

HEAD = "target,sources,affinity\n"
FIELDS = ("sources", "target", "affinity", "gain", "quality", "full_supervision")

measures = st.one_of(st.just(float("nan")), st.floats(0, 1), st.floats(0, 1e-300), st.just(5e-324))
letters = st.characters(exclude_characters="|", exclude_categories=["C", "Z"])
names = (
    st.text(letters, min_size=1, max_size=6)
    .filter(lambda name: name == name.strip() and name.casefold() == name)
    .filter(lambda name: name not in {"self", "pixels", "scratch", "random"})
)


@st.composite
def tensors(draw: st.DrawFn) -> AffinityTensor:
    tasks = tuple(sorted(draw(st.lists(names, min_size=2, max_size=5, unique=True))))
    count = len(tasks)
    keys = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.sets(st.integers(0, count - 1), min_size=1)),
            min_size=1,
            max_size=8,
            unique_by=lambda key: (key[0], frozenset(key[1])),
        )
    )
    keys += [(target, {(target + 1) % count}) for target in range(count)]
    unique = list({(target, frozenset(sources)): None for target, sources in keys})
    sources = np.array([[task in chosen for task in range(count)] for _, chosen in unique])
    full = np.array([chosen == {target} and draw(st.booleans()) for target, chosen in unique])
    values = [np.array([draw(measures) for _ in unique]) for _ in range(3)]
    values[0][np.isnan(values).all(axis=0)] = 0.5
    return AffinityTensor(
        name="drawn",
        tasks=tasks,
        targets=tasks,
        sources=sources,
        target=np.array([target for target, _ in unique], dtype=np.int32),
        affinity=values[0],
        gain=values[1],
        quality=values[2],
        full_supervision=full,
    )


def same(one: AffinityTensor, other: AffinityTensor) -> bool:
    """Tell whether names and numbers are equal to the last bit."""
    arrays = all(
        np.array_equal(getattr(one, field), getattr(other, field), equal_nan=field not in FIELDS[:2])
        for field in FIELDS
    )
    return arrays and (one.tasks, one.targets) == (other.tasks, other.targets)


@settings(deadline=None, max_examples=150)
@given(tensor=tensors())
def test_reading_gives_back_what_was_written_to_the_last_bit(tensor: AffinityTensor) -> None:
    try:
        text = tensor_to_csv(tensor)
    except InvalidInputError as error:
        assert "rename it, or save as .safetensors" in str(error)  # noqa: PT017 - one of two good outcomes
        return
    assert same(tensor_from_csv(text, name="drawn"), tensor)
    assert same(tensor_from_csv(text.encode(), name="drawn"), tensor)


def test_names_that_make_a_list_of_joined_sources_are_refused_when_they_are_written() -> None:
    tensor = AffinityTensor(
        name="toy",
        tasks=("(", "]", "t"),
        targets=("t",),
        sources=np.array([[True, True, False]]),
        target=np.array([2], np.int32),
        affinity=np.array([0.5]),
        gain=np.array([np.nan]),
        quality=np.array([np.nan]),
        full_supervision=np.array([False]),
    )
    with pytest.raises(InvalidInputError, match=r"the task '\(' cannot be written to CSV"):
        tensor_to_csv(tensor)


@pytest.mark.parametrize("name", ["taskonomy-16k", "taskonomy-1k", "taskonomy-main"])
def test_shipped_tensors_survive_the_way_through_csv(name: str) -> None:
    tensor = load_affinity(name)
    again = tensor_from_csv(tensor_to_csv(tensor), name=name)
    assert same(again, tensor)
    assert again.untrained == ("random",)


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "self",
        "pixels",
        "scratch",
        " a",
        "a ",
        "",
        "Self",
        "RANDOM",
        "B",
        "a;b",
        "a,c",
        "a + c",
        "a__c",
        "a+c",
        "a&c",
        "[a]",
        "(a, c)",
    ],
)
def test_names_that_would_not_come_back_are_refused(name: str) -> None:
    tensor = AffinityTensor(
        name="odd",
        tasks=(name, "b"),
        targets=("b",),
        sources=np.array([[True, False]]),
        target=np.array([1], dtype=np.int32),
        affinity=np.array([0.5]),
        gain=np.array([0.5]),
        quality=np.array([0.5]),
        full_supervision=np.array([False]),
    )
    with pytest.raises(InvalidInputError, match="CSV"):
        tensor_to_csv(tensor)


def test_columns_and_cells_are_exactly_these() -> None:
    lines = tensor_to_csv(
        tensor_from_csv("target,sources,gain\nb,a|c,.25\nb,self,1\n", name="x")
    ).splitlines()
    assert lines == [
        "target,order,sources,affinity,gain,quality,full_supervision",
        "b,2,a|c,,0.25,,false",
        "b,1,b,,1.0,,true",
    ]


def test_published_columns_are_read_as_they_are() -> None:
    text = (
        "target,order,sources,affinity,win_rate_vs_scratch,win_rate_vs_full_supervision\n"
        "normal,1,self,0.5,0.9,0.5\n"
        "normal,1,normal,0.25,0.8,0.4\n"
        "normal,1,random,0.125,0.4,\n"
        "normal,1,pixels,0.125,0.5,0.2\n"
        "normal,2,b|a,,0.7,0.3\n"
    )
    tensor = tensor_from_csv(text, name="published")
    assert tensor.tasks == ("a", "b", "normal", "random")
    assert tensor.untrained == ("random",)
    assert tensor.full_supervision.tolist() == [True, False, False, False]
    assert tensor.gain.tolist() == [0.9, 0.8, 0.4, 0.7]
    np.testing.assert_array_equal(tensor.quality, [0.5, 0.4, np.nan, 0.3])
    np.testing.assert_array_equal(tensor.affinity, [0.5, 0.25, 0.125, np.nan])
    assert tensor_from_csv(text, name="published", untrained=()).untrained == ()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbftarget,sources,affinity\r\na,b,0.5\r\n",
        "\ufefftarget,sources,affinity\na,b,0.5\n",
        b"target,sources,affinity\ra,b,0.5\r",
        "target,sources,affinity\n\n\na,b,0.5\n\n",
        "  target , sources,affinity \n a ,b , 0.5\n",
        'target,sources,affinity\n"a","b","0.5"',
        "sources,affinity,target\nb,0.5,a\n",
        "target,sources,affinity,gain,quality,full_supervision\na,b,5e-1,,,NO\n",
    ],
    ids=[
        "bom and crlf",
        "bom in text",
        "cr",
        "blank lines",
        "blanks",
        "quoted",
        "other order",
        "all columns",
    ],
)
def test_ways_to_write_the_same_table(content: str | bytes) -> None:
    tensor = tensor_from_csv(content, name="ways")
    assert (tensor.tasks, tensor.targets, tensor.affinity.tolist()) == (("a", "b"), ("a",), [0.5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            r"the CSV has the columns \(none\); needed are target, sources and at least one of affinity, gain",
        ),
        ("\n", "needed are target, sources"),
        ("target,sources\na,b\n", "has the columns target, sources; needed are"),
        ("target,sources,affinity,cost\na,b,.5,1\n", "an unknown column 'cost'; known are target, order"),
        ("target,sources,affinity,affinity\na,b,.5,.6\n", "the column 'affinity'.* twice"),
        ("target,sources,gain,win_rate_vs_scratch\na,b,.5,.6\n", "the column 'gain'.* twice"),
        (HEAD, "the CSV holds no transfer: there is no line below the column names"),
        (HEAD + "a,b\n", "the CSV, line 2: not as many cells as there are columns"),
        (HEAD + "a,b,.5\na,c,.5,.6\n", "line 3: not as many cells"),
        # Names copied from web pages bring marks without width along.
        (HEAD + "a,b,.5\na,\u200bb\ufeff,.6\n", "line 3: the same transfer as in line 2"),
        (HEAD + "a,b,.5\n,c,.5\n", "line 3: an empty name in target or sources"),
        (HEAD + "a,b||c,.5\n", "line 2: an empty name in target or sources"),
        (HEAD + "a,b|c|b,.5\n", "line 2: a source is given twice in 'b|c|b'"),
        (HEAD + "a,b,.5\na,c,half\n", "line 3: affinity is 'half', expected a number or nothing"),
        (HEAD + "a,b,1.5\n", r"line 2: affinity is 1.5, outside \[0, 1\]; leave it empty where not measured"),
        (HEAD + "a,b,-0.1\n", r"line 2: affinity is -0.1, outside \[0, 1\]"),
        (HEAD + "a,b,nan\n", r"line 2: affinity is nan, outside \[0, 1\]; leave it empty"),
        (HEAD + "a,b,inf\n", r"line 2: affinity is inf, outside \[0, 1\]"),
        (HEAD + "a,b|c,.5\na,d,.5\na,c|b,.6\n", "line 4: the same transfer as in line 2"),
        (HEAD + "a,self,.5\na,self,.6\n", "line 3: the same transfer as in line 2"),
        ("target,order,sources,gain\na,2,b,.5\n", "line 2: order is 2, but there are 1 sources"),
        ("target,sources,gain,full_supervision\na,a,.5,maybe\n", "'maybe', expected true or false"),
        (HEAD + "\n\na,b,7\n", "the CSV, line 4: affinity is 7"),
        (HEAD + "a,b,.5\n\na,b,.6\n", "the CSV, line 4: the same transfer as in line 2"),
        (HEAD + 'a,"b\nb",.5\na,c,7\n', "the CSV, line 4: affinity is 7"),
        (HEAD + 'a,b,.5\na,c,"x"y\n', "the CSV, line 3: "),
        (HEAD + 'a,b,.5\na,"c,.5\n', "the CSV, line 3: unexpected end of data"),
        (b"target,sources,affinity\na,\xe9,.5\n", "the CSV is not CSV text in UTF-8"),
        (b"t\x00a\x00", "the CSV is not CSV text in UTF-8: it holds a NUL; save it as CSV in UTF-8"),
        (b"\xff\xfet", "the CSV is not CSV text in UTF-8: .*truncated"),
        ("sep=|\ntarget|sources|affinity\n", r"line 1: the stated separator is '\|': only commas, semi"),
        ("target;sources,affinity\na;b,.5\n", "line 1: the separator may be commas or semicolons"),
        (
            HEAD + "a,b,0,5\n",
            "line 2: not as many.* 4, expected 3 as in line 1: where commas part cells, write decimal points, and",
        ),
        (
            HEAD + 'a,b,"0,5"\n',
            "line 2: affinity is '0,5', expected a number or nothing: write a decimal point",
        ),
        (
            "target;sources;affinity\na;b;0.5\na;c;0,5\n",
            "line 3: a number with another decimal mark than in line 2: write all with a point",
        ),
        ("target;sources;affinity\na;b;1.234,5\n", "line 2: affinity is '1.234,5', expected a number"),
        (HEAD + "a,b,50%\n", "line 2: affinity is '50%', expected a number or nothing: leave out the sign %"),
        (HEAD + "a,b,1_0\n", "line 2: affinity is '1_0', expected a number"),
        (HEAD + "Self,b,.5\n", "line 2: the target is 'Self', which is not a task"),
        (HEAD + "a|c,b,.5\n", r"line 2: 'a\|c' may be several targets: write a line for each"),
        (HEAD + "a,b,.5\nA,c,.5\n", "line 3: 'A' is spelt 'a' in line 2: spell it in one way"),
        (HEAD + "edge_2d,b,.5\nb,Edge_2D,.5\n", "line 3: 'Edge_2D' is spelt 'edge_2d' in line 2"),
        (HEAD + "a,b__c,.5\n", "line 2: 'b__c' may be one task or several: join sources with |"),
        (HEAD + "a,b+c,.5\n", r"line 2: 'b\+c' may be one task or several"),
        (HEAD + "a,b|c + d,.5\n", r"line 2: 'b\|c \+ d' joins sources in two ways"),
        (HEAD + "a,b + c;d,.5\n", r"line 2: 'b \+ c;d' may be one task or several"),
        (HEAD + "a,[b|c],.5\n", r"line 2: '\[b\|c\]' has brackets around its sources: leave them out"),
        (HEAD + "a,'',.5\n", "line 2: an empty name in target or sources"),
        (HEAD + "a,b;,.5\n", "line 2: an empty name in target or sources"),
        (HEAD + "a,[],.5\n", "line 2: an empty name in target or sources"),
        (HEAD + "a,b and c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b and c' may be one task or several"),
        (HEAD + "a,b/c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b/c' may be one task or several"),
        (HEAD + "a,b-c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b-c' may be one task or several"),
        (HEAD + "a,b_c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b_c' may be one task or several"),
        (HEAD + "a,b -> c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b -> c' may be one task or several"),
        (HEAD + "a,b\u00d7c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b\u00d7c' may be one task or several"),
        (HEAD + "a,b\uff0cc,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b\uff0cc' may be one task or several"),
        (HEAD + "a,b plus c,.5\nb,a,.5\nc,a,.5\n", "line 2: 'b plus c' may be one task or several"),
        (HEAD + "a,B-C,.5\nb,a,.5\nc,a,.5\n", "line 2: 'B-C' may be one task or several"),
        (HEAD + "a,b_2d-c_x,.5\nb_2d,a,.5\nc_x,a,.5\n", "line 2: 'b_2d-c_x' may be one task or several"),
        (HEAD + "a,b_2d and c,.5\nb_2d,a,.5\nc,a,.5\n", "line 2: 'b_2d and c' may be one task or several"),
        (HEAD + "a,\"array(['b', 'c'], dtype=object)\",.5\n", "line 2: .* may be one task or several"),
        (",target,sources,affinity\nx,a,b,.5\n", "the CSV: column 1 has no name: name it, or delete it"),
        ("target,sources,affinity,\na,b,.5,x\n", "line 1: column 4 has no name: name it, or delete it"),
        ("target,Unnamed: 1,sources,affinity\na,.5,b,.5\n", "column 2 is called 'Unnamed: 1': name it"),
        (",a,b\na,,2\nb,.3,\n", r"line 2: affinity is 2, outside \[0, 1\]"),
        (",a,b\na,,.2\na,,.3\n", "line 3: the same transfer as in line 2"),
        (",a,self\na,.5,.2\n", "line 2: the target is 'self'"),
        ("a,b\n.5,.2\n", "has the columns a, b; needed are .* or a matrix with an empty corner"),
        (",a,b\n0,.5,.2\n1,.2,.5\n", "has the columns a, b; needed are .* or a matrix"),
        (HEAD + "a,self|b,.5\na,c,.5\n", "line 2: .*'self'"),
        (HEAD + "a,c,.5\na,pixels|b,.5\n", "line 3: .*'pixels'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(content: str | bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        tensor_from_csv(content, name="wrong")


@pytest.mark.parametrize(
    "content",
    [
        "target;sources;affinity\na;b;0,5\n",
        "target\tsources\taffinity\na\tb\t0,5\n",
        "sep=;\r\ntarget;sources;affinity\r\na;b;0,5\r\n",
        "sep=,\ntarget,sources,affinity\na,b,0.5\n",
        "target,sources,affinity\na,b,0.5\n".encode("utf-16"),
        "target;sources;affinity\na;b;,5\n".encode("utf-16-be").join([b"\xfe\xff", b""]),
        "Target,Sources,Affinity\na,b,0.5\n",
        "target,source,affinity\na,b,0.5\n",
        ",target,sources,affinity\n7,a,b,0.5\n",
        "Unnamed: 0,target,sources,affinity\n0,a,b,0.5\n",
        "index,target,sources,affinity\n0,a,b,0.5\n",
        "target,sources,affinity,\na,b,0.5,\n,,,\n",
        "target,order,sources,affinity\na,1.0,b,0.5\n",
        "target,sources,affinity\na,['b'],0.5\n",
        ",a\nb,0.5\n",
        "sources,a\nb,0.5\n",
        "target;b\na;0,5\n",
        "target\\sources,b\na,0.5\n",
    ],
)
def test_ways_in_which_spreadsheets_and_pandas_write_the_same_table(content: str | bytes) -> None:
    tensor = tensor_from_csv(content, name="ways")
    assert (tensor.tasks, tensor.targets, tensor.affinity.tolist()) == (("a", "b"), ("a",), [0.5])
    assert not tensor.full_supervision.any()


@pytest.mark.parametrize(
    "sources",
    [
        "b|c",
        "'b'|'c'",
        "b + c",
        "b;c",
        '"b,c"',
        '"b, c"',
        "\"['b', 'c']\"",
        "\"('b', 'c')\"",
        "['b' 'c']",
        "\"{'b', 'c'}\"",
        "\"frozenset({'b', 'c'})\"",
        "b+c",
        "b__c",
        "b&c",
    ],
)
def test_two_sources_are_two_however_they_are_joined(sources: str) -> None:
    tensor = tensor_from_csv(f"{HEAD}a,{sources},.5\nb,c,.5\nc,b,.5\n", name="joined")
    assert tensor.tasks == ("a", "b", "c")
    assert tensor.source_names(0) == ("b", "c")
    assert tensor.order.tolist() == [2, 1, 1]


@pytest.mark.parametrize("name", ["b_x", "b_and", "and_b", "b2", "b_c2", "x_b"])
def test_a_name_that_only_holds_another_is_one_task(name: str) -> None:
    tensor = tensor_from_csv(f"{HEAD}a,{name},.5\nb,c,.5\nc,b,.5\n", name="alike")
    assert tensor.source_names(0) == (name,)


def test_a_hostile_name_of_many_words_costs_no_time() -> None:
    name = "-".join(["b"] * 30_000)
    tensor = tensor_from_csv(f"{HEAD}a,{name},.5\nb,a,.5\n", name="long")
    assert tensor.source_names(0) == (name,)


def test_a_target_is_one_task_whatever_its_name_looks_like() -> None:
    tensor = tensor_from_csv(f"{HEAD}b__c,a,.5\na,b__c,.5\nb,a,.5\nc,a,.5\n", name="odd")
    assert tensor.source_names(1) == ("b__c",)
    assert same(tensor_from_csv(tensor_to_csv(tensor), name="odd"), tensor)


def test_words_with_a_meaning_have_it_in_capitals_too() -> None:
    tensor = tensor_from_csv(f"{HEAD}a,Self,.5\na,RANDOM,.1\na,Pixels,.1\na,b,.2\n", name="capitals")
    assert tensor.tasks == ("a", "b", "random")
    assert tensor.untrained == ("random",)
    assert tensor.full_supervision.tolist() == [True, False, False]


def test_a_matrix_has_sources_down_and_each_targets_own_network_on_its_diagonal() -> None:
    tensor = tensor_from_csv(",a,b,c\na,.9,.2,.3\nb,.1,.8,\na|b,,,.7\n", name="matrix")
    found = {
        (transfer.target, transfer.sources): (transfer.affinity, transfer.full_supervision)
        for transfer in map(tensor.transfer, range(len(tensor)))
    }
    assert found == {
        ("a", ("a",)): (0.9, True),
        ("b", ("a",)): (0.2, False),
        ("c", ("a",)): (0.3, False),
        ("a", ("b",)): (0.1, False),
        ("b", ("b",)): (0.8, True),
        ("c", ("a", "b")): (0.7, False),
    }
    across = tensor_from_csv("target,a,b,a|b\na,.9,.1,\nb,.2,.8,\nc,.3,,.7\n", name="across")
    transfers = [{one.transfer(row).sources for row in range(len(one))} for one in (tensor, across)]
    assert transfers[0] == transfers[1]
    assert sorted(across.affinity) == sorted(tensor.affinity)
    own = tensor_from_csv(",a,b\nself,.9,.8\na,.7,.1\nb,.1,.6\n", name="own")
    assert own.full_supervision.tolist() == [True, True, False, False, False, False]


def test_files_put_one_behind_the_other_are_read_with_their_headings() -> None:
    one, other = "target,order,sources,affinity\na,1,b,.5\n", "\ufefftarget,sources,gain\r\nb,a,.25\r\n"
    tensor = tensor_from_csv(one + other, name="both")
    assert tensor.targets == ("a", "b")
    np.testing.assert_array_equal(tensor.affinity, [0.5, np.nan])
    np.testing.assert_array_equal(tensor.gain, [np.nan, 0.25])
    with pytest.raises(FileFormatError, match="line 4: affinity is '7x'"):
        tensor_from_csv(one + "target,sources,affinity\nb,a,7x\n", name="both")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + "a,pixels,.5\na,scratch,.5\n", "'wrong' is not valid:\n.*there is no transfer|no transfer"),
        (HEAD + "a,b,.5\nc,c,.5\n", "target c has no transfer"),
        (HEAD + "a,b,\na,c,.5\n", "line 2: none of affinity, gain and quality is given"),
        (
            "target,sources,gain,full_supervision\na,b,.5,yes\n",
            "line 2: full supervision of 'a' reads the target alone, not 'b'",
        ),
    ],
)
def test_readable_lines_may_still_make_no_tensor(content: str, message: str) -> None:
    with pytest.raises((InvalidInputError, FileFormatError), match=message):
        tensor_from_csv(content, name="wrong")


def test_a_file_is_called_by_its_name_and_named_in_messages(tmp_path: Path) -> None:
    good, wrong = tmp_path / "mine.v2.csv", tmp_path / "wrong.csv"
    good.write_text(tensor_to_csv(toy()))
    wrong.write_text(HEAD + "a,b,x\n")
    assert read_tensor_csv(good).name == "mine.v2"
    assert read_tensor_csv(str(good), name="other", images_full=7).images_full == 7
    with pytest.raises(FileFormatError, match=r"wrong\.csv, line 2: affinity is 'x'"):
        read_tensor_csv(wrong)
    with pytest.raises(FileFormatError, match=r"cannot read .*absent\.csv: No such file or directory"):
        read_tensor_csv(tmp_path / "absent.csv")
    with pytest.raises(FileFormatError, match=r"cannot read .*: Is a directory"):
        read_tensor_csv(tmp_path)
