"""What an operator asks about the rules, of a deployment: how far the bot and the teammates agree."""

import os
import subprocess

import stack
from installation import DIRECTORY


def _baton(baton, *arguments):
    """What the `baton` command does with these arguments: (status, output, complaint)."""
    environment = {**os.environ, **baton.aws.environment()}
    command = [baton.binaries / "baton", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_report_tells_how_far_what_was_tried_out_agrees_with_what_a_teammate_wrote(baton):
    conversation = baton.begin(baton.one, "Carla", "How long is it? [at node Warranty say Two years, from delivery.]")
    conversation.goes_to_the_bot()
    baton.until_quiet()
    assert not conversation.seen_of_bot(), "it is only tried out"
    conversation.teammate_writes("It is two years, from delivery.")
    baton.until_quiet()
    report = ["rules", "report", "--settings", DIRECTORY / "baton.toml", "--stack", stack.STACK]
    status, told, complaint = _baton(baton, *report)
    assert status == 0, complaint
    assert "  Warranty (warranty): answer (tried out), 1 of 1 agreed (100 %), too little to go by" in told.splitlines()
    assert f"{baton.two.app_id}: nothing has been suggested" in told


def test_the_settings_are_held_against_the_workspace(baton, tmp_path):
    token = tmp_path / "token"
    token.write_text(baton.one.access_token)
    check = ["check", DIRECTORY / "baton.toml", "--token", token]
    status, told, complaint = _baton(baton, *check)
    assert (status, complaint) == (0, "")
    assert f"workspace {baton.one.app_id} has all teammates, teams, tags and attributes that the settings name" in told
    wrong = tmp_path / "baton.toml"
    wrong.write_text((DIRECTORY / "baton.toml").read_text().replace('teammate = "900003"', 'teammate = "900077"'))
    status, _, complaint = _baton(baton, "check", wrong, "--token", token)
    assert status == 1 and "there is no teammate 900077" in complaint and baton.one.access_token not in complaint
    settings = (DIRECTORY / "baton.toml").read_text()
    wrong.write_text(settings.replace('tags = "VIP"', 'tags = "V.I.P."').replace('"Bot outcome" =', '"Bot fate" ='))
    status, _, complaint = _baton(baton, "check", wrong, "--token", token)
    assert status == 1 and complaint.count("line ") == 2, complaint
    assert 'there is no tag "v.i.p."' in complaint and 'there is no attribute "Bot fate"' in complaint
