"""The studio's page in a real browser: open, hover, drag, keys, add by text, undo, save."""
import shutil
import time

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="driving a browser takes Playwright: pip install '.[test]'")


def test_a_dragged_object_is_shown_at_once_and_saved_as_the_command_line_moves_it(page, file, vlegen, tmp_path, one_thread):
    before, start = page.token(1), page.shown()
    page.drag(1, 75, -45, drop=False)
    page.page.evaluate("new Promise(requestAnimationFrame)")
    while_dragged = page.shown()
    page.page.mouse.up()
    page.settled()
    after, rendered = page.token(1), page.shown()
    dx, dy = round(after["x"] - before["x"]), round(after["y"] - before["y"])
    assert dx > 10 and dy < -5
    changed = np.abs(rendered.astype(int) - start).max(-1) > 8
    apart = np.abs(rendered.astype(int) - while_dragged).max(-1)
    assert changed.sum() > 500 and (apart[changed] <= 8).mean() > 0.98  # the object moved before the server knew

    assert page.saved("png", tmp_path / "saved.png") == "img-edited.png"
    assert vlegen("move", file, "--token", 1, "--dx", dx, "--dy", dy, "-o", tmp_path / "moved.png").status == 0
    saved, moved = (np.asarray(Image.open(tmp_path / name)) for name in ("saved.png", "moved.png"))
    assert np.array_equal(saved, moved) and np.array_equal(rendered, moved)


def test_objects_are_outlined_and_named_under_the_mouse_and_from_the_list(page):
    page.page.mouse.move(*page.middle(1))
    tag = page.page.locator("#tag")
    playwright.expect(tag).to_have_text(page.token(1)["label"])
    outline = page.page.locator("#outlines g.hovered .line")
    assert outline.count() == 1 and len(outline.get_attribute("d")) > 100
    page.page.mouse.move(2, 2)
    playwright.expect(tag).to_be_hidden()
    listed = page.page.locator("#objects button")
    assert listed.count() == len(page.view["tokens"])
    listed.nth(1).hover()
    assert page.page.locator("#outlines g.hovered").count() == 1
    listed.nth(1).focus()
    page.page.keyboard.press("Enter")
    assert listed.nth(1).get_attribute("aria-pressed") == "true"
    assert page.page.locator("#outlines g.chosen").count() == 1


def test_keys_nudge_undo_redo_and_remove(page):
    start, before = page.shown(), page.token(1)
    page.page.mouse.click(*page.middle(1))
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "ArrowUp"):
        page.page.keyboard.press(key)
    page.settled()
    after = page.token(1)
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((2, 9), abs=0.02)
    page.page.keyboard.press("Control+z")  # keys that come quickly are one step
    page.settled()
    assert np.array_equal(page.shown(), start) and page.token(1) == before
    page.page.keyboard.press("Control+Shift+z")
    page.settled()
    assert page.token(1) == after
    count = len(page.view["tokens"])
    page.page.keyboard.press("Delete")
    page.settled()
    assert len(page.view["tokens"]) == count - 1
    assert page.page.locator("#objects button").count() == count - 1
    page.page.click("[data-do=undo]")
    page.settled()
    assert len(page.view["tokens"]) == count


def test_an_object_is_added_by_text_and_saved_tokens_open_again(page, tmp_path):
    count = len(page.view["tokens"])
    page.page.fill("#addition", "a small green ball")
    page.page.keyboard.press("Enter")
    page.settled()
    assert len(page.view["tokens"]) == count + 1
    playwright.expect(page.page.locator("#objects [aria-pressed=true]")).to_have_count(1)
    shown = page.shown()
    assert page.saved("vle", tmp_path / "img-edited.vle") == "img-edited.vle"
    page.open(tmp_path / "img-edited.vle")
    assert len(page.view["tokens"]) == count + 1 and np.array_equal(page.shown(), shown)


def test_what_goes_wrong_is_said_and_the_picture_stays(page, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    page.page.set_input_files("#file-input", tmp_path / "bad.png")
    trouble = page.page.get_by_role("alert")
    playwright.expect(trouble).to_contain_text("bad.png is not a picture")
    page.page.get_by_role("button", name="Close this message").click()
    playwright.expect(trouble).to_be_hidden()
    page.page.fill("#addition", "a xylophone")
    page.page.keyboard.press("Enter")
    playwright.expect(trouble).to_contain_text("xylophone")
    assert len(page.view["tokens"]) == page.page.locator("#objects button").count()
    page.faults = [fault for fault in page.faults if "400" not in fault]  # Chromium logs refused requests itself


def test_a_page_that_is_loaded_again_goes_on_where_it_was(page):
    page.drag(1, 40, 20)
    view = page.view
    page.page.reload()
    page.until("window.studio && window.studio.editor.view")
    page.settled()
    assert page.view == view


def test_a_phone_shows_everything_and_drags_by_touch(browser, studio, file, page_at):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 360, "height": 700})
    touch = browser.new_cdp_session(tab)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page = page_at(tab, studio)
    page.open(file)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    for control in ("#canvas", "#object-tools", "#objects button", "#addition", "#save-menu summary"):
        box = tab.locator(control).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] >= 0 and box["y"] + box["height"] <= 700
    before, (x, y) = page.token(1), page.middle(1)
    for kind, at in (("Start", (x, y)), ("Move", (x + 20, y + 8)), ("Move", (x + 40, y + 16))):
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": at[0], "y": at[1]}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.settled()
    assert page.token(1)["x"] - before["x"] > 10
    tab.close()
    assert not page.faults


def test_a_prompt_on_the_first_page_becomes_a_picture_with_objects(browser, studio, page_at):
    tab = browser.new_page()
    page = page_at(tab, studio)
    tab.fill("#prompt", "a red cube")
    tab.get_by_role("button", name="Draw").click()
    playwright.expect(tab.locator("#file")).to_contain_text("a-red-cube.png")
    page.settled()
    assert page.view["tokens"]
    tab.close()
    assert not page.faults


def test_a_second_window_shows_what_the_first_did_before_it_edits(browser, studio, page, page_at):
    tab = browser.new_page()
    other = page_at(tab, page.page.url)
    other.until("window.studio && window.studio.editor.view")
    other.settled()
    page.drag(1, 40, 20)
    other.drag(1, 0, 30)
    playwright.expect(tab.get_by_role("alert")).to_contain_text("another window")
    assert other.view == page.view
    other.drag(1, 0, 30)
    assert other.token(1)["y"] > page.token(1)["y"] and other.token(1)["x"] == page.token(1)["x"]
    assert all("409" in fault for fault in other.faults)
    tab.close()


def test_what_was_removed_leaves_nothing_chosen_that_the_same_key_would_remove_next(page):
    count = len(page.view["tokens"])
    page.page.mouse.click(*page.middle(1))
    for _ in range(20):  # as a key that is held
        page.page.keyboard.down("Delete")
        time.sleep(0.05)
    page.page.keyboard.up("Delete")
    page.settled()
    assert len(page.view["tokens"]) == count - 1 and page.page.locator("#objects [aria-pressed=true]").count() == 0
    page.page.locator("#objects button").first.click()
    page.page.focus("[data-do=undo]")
    page.page.keyboard.press("Enter")
    page.settled()
    assert len(page.view["tokens"]) == count and page.page.locator("#objects [aria-pressed=true]").count() == 0
    assert page.page.evaluate("document.activeElement.dataset.do") == "undo"  # the keyboard goes on where it was
    playwright.expect(page.page.locator("[data-do=remove]")).to_have_attribute("aria-disabled", "true")


def test_what_is_dragged_off_the_edge_stays_within_reach(page):
    width = page.view["width"]
    page.drag(1, 3000, 0)
    token = page.token(1)
    assert width < token["x"] < width + token["width"] / 2
    for _ in range(3):
        page.page.keyboard.press("Shift+ArrowRight")
    page.settled()
    assert page.token(1) == token
    x, y = page.middle(1)
    page.page.mouse.move(x - 0.35 * token["width"] * page.page.evaluate("window.studio.stage.zoom"), y)
    page.page.mouse.down()
    page.page.mouse.move(x - 300, y, steps=5)
    page.page.mouse.up()
    page.settled()
    assert page.token(1)["x"] < width


def test_what_is_sent_twice_is_added_once_and_what_is_typed_meanwhile_stays(page):
    count = len(page.view["tokens"])
    page.page.fill("#addition", "a small green ball")
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Enter")
    page.page.fill("#addition", "a blue cube")
    page.settled()
    assert len(page.view["tokens"]) == count + 1
    assert page.page.input_value("#addition") == "a blue cube"


def test_back_goes_to_the_picture_that_was_open_before(page, file, tmp_path):
    page.drag(1, 40, 20)
    view = page.view
    other = tmp_path / "other.png"
    shutil.copy(file, other)
    page.open(other)
    assert page.view["id"] != view["id"]
    page.page.go_back()
    playwright.expect(page.page.locator("#file")).to_contain_text(view["name"])
    page.settled()
    assert page.view == view


def test_an_edit_of_which_the_answer_is_lost_is_shown_all_the_same(page):
    before = page.token(1)
    page.page.route("**/edits", lambda route: (route.fetch(), route.abort()))
    page.drag(1, 75, 0)
    page.page.unroute("**/edits")
    playwright.expect(page.page.get_by_role("alert")).to_contain_text("cannot be reached")
    moved = page.token(1)
    assert moved["x"] > before["x"] + 10
    page.drag(1, -40, 0)
    assert page.token(1)["x"] < moved["x"]
    page.faults = [fault for fault in page.faults if "ERR_FAILED" not in fault]


def test_a_small_phone_on_its_side_shows_the_picture(browser, studio, file, page_at):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 640, "height": 340})
    page = page_at(tab, studio)
    page.open(file)
    assert tab.locator("#canvas").bounding_box()["height"] > 150
    for control in ("#object-tools", "[data-do=remove]", "#objects button", "#addition", "#save-menu summary"):
        box = tab.locator(control).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 640 and box["y"] >= 0 and box["y"] + box["height"] <= 340
    tab.close()
    assert not page.faults


def test_where_the_floor_is_a_guess_things_are_dragged_over_the_picture_without_them(page):
    page.page.evaluate("window.studio.editor.view.guesses = true")
    page.page.mouse.click(*page.middle(1))
    page.until("Boolean(window.studio.editor.behind?.picture)")
    start = page.shown()
    page.drag(1, 75, -45, drop=False)
    page.page.evaluate("new Promise(requestAnimationFrame)")
    assert page.page.evaluate("window.studio.stage.lifted()?.index") == 1
    while_dragged = page.shown()
    page.page.mouse.up()
    page.settled()
    rendered = page.shown()
    changed = np.abs(rendered.astype(int) - start).max(-1) > 8
    apart = np.abs(rendered.astype(int) - while_dragged).max(-1)
    assert changed.sum() > 500 and (apart[changed] <= 8).mean() > 0.95
    assert page.page.evaluate("window.studio.editor.behind.index") == 1  # as it is, however that is moved
    page.drag(2, 10, 0)
    assert page.page.evaluate("window.studio.editor.behind") is None
