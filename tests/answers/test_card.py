"""The card of a network: what it says is used, nothing stands for nothing, and nonsense is named."""

import json

import pytest

from paperlib.answers.answer import Asker
from paperlib.answers.card import NO_CARD, Card, read_card, write_card
from paperlib.answers.numpy_network import read_network
from paperlib.answers.written import about
from tests.answers.released import network, write


def test_no_card_is_said(tmp_path):
    assert read_card(tmp_path / "none.json") == Card(1.0, 0.0, {}, (NO_CARD,))
    with pytest.raises(FileNotFoundError, match=r"no card .*none\.json"):
        read_card(tmp_path / "none.json", complete=True)


def test_a_card_is_read_and_written(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"temperature": 2, "refuse_below": 0.3, "scores": {"top-1": 0.5}, "limits": ["a"]}))
    card = read_card(path, complete=True)
    assert card == Card(2.0, 0.3, {"top-1": 0.5}, ("a",))
    write_card(tmp_path / "again.json", card)
    assert read_card(tmp_path / "again.json", complete=True) == card


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"temperature": 0}', "temperature is 0; give a positive number"),
        ('{"temperature": "warm"}', "temperature is 'warm'"),
        ('{"refuse_below": 30}', "refuse_below is 30; give a probability"),
        ('{"limits": "no"}', "limits a list of texts"),
        ('{"about": "me"}', "scores and about are objects"),
        ('{"temprature": 1}', "has 'temprature'; a card has temperature, refuse_below"),
        ("[]", "no JSON object"),
        ("{", "not valid JSON"),
    ],
)
def test_a_card_of_nonsense_is_named(tmp_path, content, says):
    path = tmp_path / "net.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"net\.json.*{says}"):
        read_card(path)


def test_a_card_is_told_in_words_and_per_cent(tmp_path):
    top = {"top1": 0.4238, "top3": 0.62, "top5": 0.7282}
    scores = {"measured_shown": {"published": top, "space_group": top}, "top-1": 0.5}
    asked = read_network(write(tmp_path / "net.safetensors", network()))
    lines = about(Asker(asked, Card(scores=scores, about={"trained_on": {"real": 3}}, limits=("one phase",)))).split(
        "\n"
    )
    share = "42.4/62.0/72.8 % (top-1/top-3/top-5)"
    assert lines[1:] == [
        "  trained on: real 3",
        f"  scores, measured shown: extinction class {share}, space group {share}",
        "  scores, top-1: 0.5",
        "  limit: one phase",
    ]
