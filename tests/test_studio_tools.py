"""The studio's tools in a real browser: colours, flips, handles, replacing by words, and boxes around what was not found."""
import numpy as np
import pytest
from PIL import Image, ImageDraw

from vle_gen.tokens import VLETokens

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="driving a browser takes Playwright: pip install '.[test]'")
REEDS = (60, 90, 60, 70)  # left, top, width, height about what no model was shown


@pytest.fixture
def reeds(tmp_path):
    """A picture in which nothing is found by itself."""
    picture = Image.fromarray(np.full((200, 240, 3), 120, np.uint8))
    for left in range(66, 116, 10):
        ImageDraw.Draw(picture).line([(left, 155), (left + 4, 95)], fill=(150, 132, 120), width=3)
    picture.save(tmp_path / "reeds.png")
    return tmp_path / "reeds.png"


@pytest.fixture
def phone(browser, studio, file, page_at):
    """The scene on a phone that is touched."""
    tab = browser.new_page()
    tab.set_viewport_size({"width": 360, "height": 700})
    page = page_at(tab, studio)
    page.open(file)
    yield page
    tab.close()
    assert not page.faults


def commanded(vlegen, folder, *arguments: object) -> np.ndarray:
    """What a command makes of a picture."""
    ran = vlegen(*arguments, "-o", folder / "commanded.png")
    assert ran.status == 0, ran.err
    return np.asarray(Image.open(folder / "commanded.png").convert("RGB"))


def history(page, folder) -> tuple[str, ...]:
    page.saved("vle", folder / "s.vle")
    return VLETokens.load(folder / "s.vle").history


def choose(page, index: int) -> None:
    page.page.locator(f"#objects [data-index='{index}']").click()


def corner(page, across: str, down: str) -> tuple[float, float]:
    """Where the handle at a corner of the chosen object is, on the screen."""
    number = {("left", "top"): 0, ("right", "top"): 1, ("right", "bottom"): 2, ("left", "bottom"): 3}[across, down]
    knob = page.page.locator("#handles .knob").nth(number).bounding_box()
    return knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2


def touched(page, kinds_and_places) -> None:
    touch = page.page.context.new_cdp_session(page.page)
    for kind, place in kinds_and_places:
        points = [] if place is None else [{"x": place[0], "y": place[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.settled()


def test_a_colour_of_the_palette_is_painted_as_the_command_line_does_it_and_undone(page, file, vlegen, tmp_path, one_thread):
    start = page.shown()
    choose(page, 1)
    page.page.keyboard.press("c")
    page.page.get_by_role("button", name="blue", exact=True).click()
    page.settled()
    assert "blue" in page.token(1)["label"]
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "recolor", file, "--token", 1, "--to", "blue"))
    page.page.get_by_label("Any other").fill("#22aa44")
    page.settled()
    assert history(page, tmp_path) == ("recolor 1 to blue", "recolor 1 to #22aa44")
    for _ in range(2):
        page.page.keyboard.press("Control+z")
        page.settled()
    assert np.array_equal(page.shown(), start)


def test_an_object_is_flipped_by_key_and_button_and_twice_is_not_at_all(page, file, vlegen, tmp_path, one_thread):
    start = page.shown()
    choose(page, 3)
    page.page.keyboard.press("f")
    page.settled()
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "flip", file, "--token", 3))
    page.page.get_by_role("button", name="Flip left to right").click()
    page.settled()
    assert np.array_equal(page.shown(), start) and history(page, tmp_path) == ("flip 3", "flip 3")


def test_a_dragged_corner_sizes_an_object_where_it_stands(page, file, vlegen, tmp_path, one_thread):
    start, before = page.shown(), page.token(1)
    choose(page, 1)
    page.pull(corner(page, "right", "top"), 40, -50, drop=False)
    page.page.evaluate("new Promise(requestAnimationFrame)")
    while_dragged = page.shown()
    page.page.mouse.up()
    page.settled()
    after, rendered = page.token(1), page.shown()
    factor = after["width"] / before["width"]
    assert factor > 1.2 and after["height"] / before["height"] == pytest.approx(factor, rel=1e-3)
    assert after["y"] + after["height"] / 2 == pytest.approx(before["y"] + before["height"] / 2, abs=0.05)
    assert after["x"] == pytest.approx(before["x"], abs=0.05)
    changed = np.abs(rendered.astype(int) - start).max(-1) > 8
    apart = np.abs(rendered.astype(int) - while_dragged).max(-1)
    assert changed.sum() > 500 and (apart[changed] <= 8).mean() > 0.95  # it had that size before the server knew
    (line,) = history(page, tmp_path)
    verb, index, by, said = line.split()
    assert (verb, index, by) == ("resize", "1", "by") and float(said) == pytest.approx(factor, rel=1e-3)
    assert np.array_equal(rendered, commanded(vlegen, tmp_path, "resize", file, "--token", 1, "--factor", said))
    page.pull(corner(page, "left", "bottom"), 30, 0)
    assert page.token(1)["width"] < after["width"]


@pytest.mark.parametrize("way", [("left", "top"), ("right", "top"), ("right", "bottom"), ("left", "bottom")])
def test_a_corner_follows_the_pointer(page, way):
    choose(page, 1)
    token, (x, y) = page.token(1), corner(page, *way)
    stands = page.at(token["x"], token["y"] + token["height"] / 2)
    dx, dy = ((there - still) * 0.4 for there, still in zip((x, y), stands, strict=True))
    page.pull((x, y), dx, dy, drop=False)
    page.page.evaluate("new Promise(requestAnimationFrame)")
    held = corner(page, *way)
    page.page.mouse.up()
    assert held == pytest.approx((x + dx, y + dy), abs=6)


def test_a_size_is_given_up_with_escape_and_never_becomes_nothing(page):
    before = page.token(4)
    choose(page, 4)
    page.pull(corner(page, "right", "top"), 30, -30, drop=False)
    page.page.keyboard.press("Escape")
    page.page.mouse.up()
    page.settled()
    assert page.token(4) == before and not page.view["can_undo"]
    x, y = corner(page, "right", "top")
    page.pull((x, y), -400, 300)
    assert 0 < page.token(4)["width"] < 5 and page.page.locator("#trouble").is_hidden()


def test_an_object_is_replaced_by_words_and_what_cannot_be_drawn_is_said(page):
    count, start = len(page.view["tokens"]), page.shown()
    choose(page, 2)
    page.page.keyboard.press("r")
    page.page.keyboard.type("a xylophone")
    page.page.keyboard.press("Enter")
    trouble = page.page.get_by_role("alert")
    playwright.expect(trouble).to_contain_text("xylophone")
    assert "--" not in trouble.inner_text()
    page.faults = [fault for fault in page.faults if "400" not in fault]  # Chromium logs refused requests itself
    field = page.page.get_by_label("Put in its place")
    playwright.expect(field).to_be_focused()
    field.fill("a blue metal cube")
    page.page.keyboard.press("Enter")
    page.settled()
    playwright.expect(field).to_be_hidden()
    assert len(page.view["tokens"]) == count and "blue" in page.token(2)["label"]
    assert not np.array_equal(page.shown(), start) and page.page.evaluate("window.studio.editor.chosen") == 2
    page.page.keyboard.press("Control+z")
    page.settled()
    assert np.array_equal(page.shown(), start)


def test_where_nothing_was_found_a_box_makes_an_object_that_is_moved_as_by_command(
    page, reeds, vlegen, tmp_path, one_thread
):
    page.open(reeds)
    assert page.view["tokens"] == []
    page.page.get_by_role("button", name="Draw a box").click()
    x, y, width, height = REEDS
    page.pull(page.at(x, y), width * page.zoom, height * page.zoom)
    (token,) = page.view["tokens"]
    assert (token["x"], token["y"]) == pytest.approx((x + width / 2, y + height / 2), abs=1.5)
    assert page.page.evaluate("window.studio.editor.chosen") == 1
    playwright.expect(page.page.locator("#pointing")).to_be_hidden()
    page.pull(page.at(92, 105), 60, 0)  # on what the model takes for it
    (line,) = history(page, tmp_path)
    step = line.removeprefix("move 1 by ").split(",")
    moved = commanded(vlegen, tmp_path, "move", reeds, "--box", ",".join(map(str, REEDS)), "--dx", step[0], "--dy", step[1])
    assert np.array_equal(page.shown(), moved) and not np.array_equal(moved, np.asarray(Image.open(reeds)))
    for _ in range(2):
        page.page.keyboard.press("Control+z")
        page.settled()
    assert page.view["tokens"] == [] and np.array_equal(page.shown(), np.asarray(Image.open(reeds)))


def test_a_box_is_drawn_by_keys_and_given_up_with_escape(page, reeds):
    page.open(reeds)
    page.page.keyboard.press("b")
    where = page.page.get_by_role("application")
    playwright.expect(where).to_be_focused()
    page.page.keyboard.press("ArrowLeft")
    playwright.expect(page.page.get_by_role("status")).to_contain_text("Box at 90, 75, 60 × 50")
    for key in (*["ArrowLeft"] * 10, "ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight"):
        page.page.keyboard.press(key)
    playwright.expect(page.page.get_by_role("status")).to_contain_text("Box at 70, 77, 62 × 52")
    page.page.keyboard.press("Escape")
    playwright.expect(where).to_be_hidden()
    assert page.page.evaluate("document.activeElement.dataset.do") == "point-out" and page.view["tokens"] == []
    page.page.keyboard.press("b")
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("Enter")
    page.settled()
    assert len(page.view["tokens"]) == 1


def test_a_press_on_bare_floor_is_explained_and_one_on_a_thing_chooses_it(page):
    page.page.keyboard.press("b")
    page.page.mouse.click(*page.at(246, 8))
    trouble = page.page.get_by_role("alert")
    playwright.expect(trouble).to_contain_text("draw a box around it")
    page.faults = [fault for fault in page.faults if "400" not in fault]
    page.settled()
    page.page.mouse.click(*page.middle(3))
    page.settled()
    playwright.expect(page.page.locator("#pointing")).to_be_hidden()
    assert page.page.evaluate("window.studio.editor.chosen") == 3 and not page.view["can_undo"]


def test_what_is_explained_lies_over_no_tool_that_is_needed_next(page):
    page.page.keyboard.press("b")
    page.page.mouse.click(*page.at(246, 8))
    playwright.expect(page.page.get_by_role("alert")).to_be_visible()
    page.faults = [fault for fault in page.faults if "400" not in fault]
    page.settled()
    page.page.locator("[data-do=by-brush]").click()
    playwright.expect(page.page.locator("#mask")).to_be_visible()
    page.page.get_by_role("alert").get_by_role("button").click()
    page.page.keyboard.press("Escape")


def test_menus_open_one_at_a_time_and_close_with_escape_where_the_keyboard_was(page):
    tools = {name: page.page.locator(f"#{name}-menu") for name in ("colour", "replace", "save")}
    assert tools["colour"].locator("summary").get_attribute("aria-disabled") == "true"
    page.page.keyboard.press("c")  # nothing is chosen
    assert not tools["colour"].evaluate("menu => menu.open")
    choose(page, 1)
    page.page.keyboard.press("c")
    playwright.expect(page.page.get_by_role("button", name="gray")).to_be_focused()
    tools["replace"].locator("summary").click()
    assert tools["replace"].evaluate("menu => menu.open") and not tools["colour"].evaluate("menu => menu.open")
    page.page.keyboard.press("Escape")
    playwright.expect(tools["replace"].locator("summary")).to_be_focused()
    tools["save"].locator("summary").click()
    page.page.mouse.click(*page.at(4, 4))
    assert not tools["save"].evaluate("menu => menu.open")


def test_everything_has_a_name_that_is_read_out(page):
    choose(page, 1)
    for role in ("button", "textbox", "application"):
        for control in page.page.get_by_role(role, include_hidden=True).all():
            named = control.evaluate(
                "c => c.getAttribute('aria-label') || c.textContent.trim() || c.labels?.[0]?.textContent.trim() || c.title"
            )
            assert named, control.evaluate("c => c.outerHTML")


def test_a_phone_shows_the_tools_and_sizes_by_touch(phone):
    choose(phone, 1)
    tools = "#object-tools > button:not([hidden]), .group > button, #object-tools summary, #picture-tools > [data-do]"
    for control in phone.page.locator(tools).all():
        box = control.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] + box["height"] <= 700
        assert box["width"] >= 34 and box["height"] >= 36, control.evaluate("c => c.outerHTML")
    for menu, inside in (("colour", ".swatch, #any-colour"), ("replace", "#replacement, button")):
        phone.page.click(f"#{menu}-menu summary")
        for control in phone.page.locator(f"#{menu}-menu .menu").locator(inside).all():
            box = control.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] >= 0 and box["y"] + box["height"] <= 700
    phone.page.keyboard.press("Escape")
    before, (x, y) = phone.token(1), corner(phone, "right", "top")
    touched(phone, [("Start", (x, y)), ("Move", (x + 12, y - 12)), ("Move", (x + 24, y - 24)), ("End", None)])
    assert phone.token(1)["width"] > 1.1 * before["width"]


def test_a_box_is_drawn_by_touch(phone):
    phone.page.click("#picture-tools [data-do=point-out]")
    (x, y), (right, bottom) = phone.at(20, 195), phone.at(60, 235)
    touched(phone, [("Start", (x, y)), ("Move", (x + 9, y + 9)), ("Move", (right, bottom)), ("End", None)])
    assert len(phone.view["tokens"]) == 5 and phone.page.evaluate("window.studio.editor.token !== undefined")
