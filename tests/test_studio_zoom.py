"""Looking closer in the studio, in a real browser: by wheel, keys, buttons and two fingers; and edits while one does."""
import pytest

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
pytest.importorskip("playwright.sync_api", reason="driving a browser takes Playwright: pip install '.[test]'")


def place_of(page, x: float, y: float) -> tuple[float, float]:
    """Which pixel of the picture is at a place on the screen."""
    frame, zoom = page.page.locator("#canvas").bounding_box(), page.zoom
    return (x - frame["x"]) / zoom, (y - frame["y"]) / zoom


def allowed(page, name: str) -> bool:
    return page.page.locator(f"[data-do={name}]").get_attribute("aria-disabled") != "true"


def test_the_wheel_with_control_looks_closer_where_the_pointer_is(page):
    fits, (x, y) = page.zoom, page.middle(1)
    page.page.mouse.move(x, y)
    page.page.mouse.wheel(0, -300)
    assert page.zoom == fits, "the wheel alone scrolls"
    page.page.keyboard.down("Control")
    for _ in range(3):
        page.page.mouse.wheel(0, -300)
    page.page.keyboard.up("Control")
    page.until(f"window.studio.stage.zoom > {2 * fits}")
    token = page.token(1)
    assert place_of(page, x, y) == pytest.approx((token["x"], token["y"]), abs=6)  # about its middle it were 15 off
    page.page.keyboard.press("0")
    assert page.zoom == pytest.approx(fits)


def test_buttons_and_keys_look_closer_and_back_within_bounds(page):
    fits = page.zoom
    assert not allowed(page, "zoom-out") and not allowed(page, "zoom-fit") and allowed(page, "zoom-in")
    page.page.get_by_role("button", name="Zoom in").click()
    page.page.keyboard.press("z")
    assert page.zoom == pytest.approx(2.25 * fits, rel=0.01)
    page.page.keyboard.press("Shift+Z")
    assert page.zoom == pytest.approx(1.5 * fits, rel=0.01)
    for _ in range(9):
        page.page.keyboard.press("z")
    assert page.zoom == pytest.approx(8 * fits, rel=0.01) and not allowed(page, "zoom-in")
    page.page.get_by_role("button", name="The whole picture").click()
    assert page.zoom == pytest.approx(fits) and not allowed(page, "zoom-out")


def test_what_is_seen_closer_is_dragged_by_as_many_pixels_as_it_is_shown_to_go(page):
    before = page.token(1)
    page.page.locator("#objects [data-index='1']").click()
    for _ in range(2):
        page.page.keyboard.press("z")
    page.page.locator("#objects [data-index='1']").click()
    zoom = page.zoom
    page.drag(1, 20 * zoom, -10 * zoom)
    after = page.token(1)
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((20, -10), abs=1)


def test_the_bare_picture_is_pulled_about_and_a_listed_object_is_brought_into_sight(page):
    for _ in range(4):
        page.page.keyboard.press("z")
    room = page.page.locator("#stage").bounding_box()
    seen = place_of(page, room["x"] + 10, room["y"] + 10)
    page.pull((room["x"] + room["width"] / 2, room["y"] + 20), -90, 0)
    moved = place_of(page, room["x"] + 10, room["y"] + 10)
    assert moved[0] - seen[0] == pytest.approx(90 / page.zoom, abs=1) and not page.view["can_undo"]
    for index in (1, 3, 4):
        page.page.locator(f"#objects [data-index='{index}']").click()
        x, y = page.middle(index)
        assert room["x"] <= x <= room["x"] + room["width"] and room["y"] <= y <= room["y"] + room["height"]


@pytest.mark.parametrize("pointing", [False, True])
def test_two_fingers_look_closer_and_do_nothing_else(browser, studio, file, page_at, pointing):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 360, "height": 700})
    page = page_at(tab, studio)
    page.open(file)
    if pointing:
        tab.click("#picture-tools [data-do=point-out]")
    before, fits, (x, y) = page.view, page.zoom, page.middle(1)
    touch = browser.new_cdp_session(tab)
    for kind, apart in (("Start", 20), ("Move", 30), ("Move", 45), ("Move", 60), ("End", None)):
        points = [] if apart is None else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        if kind == "Start":  # no two fingers come at the same time
            touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.settled()
    assert page.zoom > 1.8 * fits and page.view == before and tab.locator("#pointing").is_visible() == pointing
    token = page.token(1)
    assert place_of(page, x, y) == pytest.approx((token["x"], token["y"]), abs=7)
    tab.close()
    assert not page.faults


def test_another_picture_is_shown_whole(page, file, tmp_path):
    page.page.keyboard.press("z")
    other = tmp_path / "other.png"
    other.write_bytes(file.read_bytes())
    page.open(other)
    assert not allowed(page, "zoom-out")
