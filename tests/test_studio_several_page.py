"""Edits of several objects, copies, hues and masks in the studio's page, in a real browser."""
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vle_gen.tokens import VLETokens

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="driving a browser takes Playwright: pip install '.[test]'")


def listed(page, index: int):
    return page.page.locator(f"#objects [data-index='{index}']")


def chosen(page) -> list[int]:
    return page.page.evaluate("window.studio.editor.which")


def history(page, folder) -> tuple[str, ...]:
    page.saved("vle", folder / "s.vle")
    return VLETokens.load(folder / "s.vle").history


def commanded(vlegen, folder, *arguments: object) -> np.ndarray:
    """What a command makes of a picture."""
    ran = vlegen(*arguments, "-o", folder / "commanded.png")
    assert ran.status == 0, ran.err
    return np.asarray(Image.open(folder / "commanded.png").convert("RGB"))


def arrange(page, name: str) -> None:
    """Presses a button of the menu that arranges."""
    if not page.page.locator("#arrange-menu").evaluate("menu => menu.open"):
        page.page.keyboard.press("a")
    page.page.locator("#arrange-menu").get_by_role("button", name=name).click()
    page.settled()


def allowed(page, name: str) -> bool:
    button = page.page.locator("#arrange-menu").get_by_role("button", name=name, include_hidden=True)
    return button.get_attribute("aria-disabled") != "true"


def said(page, *, role: str = "status"):
    return playwright.expect(page.page.get_by_role(role))


def test_several_are_chosen_with_shift_and_dragged_together_as_by_command(page, file, vlegen, tmp_path, one_thread):
    start = page.shown()
    page.page.mouse.click(*page.middle(1))
    page.page.keyboard.down("Shift")
    page.page.mouse.click(*page.middle(3))
    page.page.mouse.click(*page.middle(4))
    page.page.mouse.click(*page.middle(4))
    page.page.mouse.click(*page.at(250, 4))  # on nothing
    page.page.keyboard.up("Shift")
    assert chosen(page) == [1, 3] and page.page.locator("#outlines g.chosen").count() == 2
    playwright.expect(page.page.locator("#chosen")).to_have_text("2 objects")
    before = [page.token(k) for k in (1, 3)]
    page.drag(1, 40, 25, drop=False)
    page.page.evaluate("new Promise(requestAnimationFrame)")
    while_dragged = page.shown()
    page.page.mouse.up()
    page.settled()
    rendered, (dx, dy) = page.shown(), (page.token(1)["x"] - before[0]["x"], page.token(1)["y"] - before[0]["y"])
    assert (page.token(3)["x"] - before[1]["x"], page.token(3)["y"] - before[1]["y"]) == pytest.approx((dx, dy), abs=0.02)
    changed = np.abs(rendered.astype(int) - start).max(-1) > 8
    apart = np.abs(rendered.astype(int) - while_dragged).max(-1)
    assert changed.sum() > 500 and (apart[changed] <= 8).mean() > 0.95  # both moved before the server knew
    told = ("--token", 1, "--token", 3, "--dx", round(dx), "--dy", round(dy))
    assert np.array_equal(rendered, commanded(vlegen, tmp_path, "move", file, *told))
    assert history(page, tmp_path) == (f"move 1 3 by {round(dx)},{round(dy)}",) and chosen(page) == [1, 3]
    page.page.mouse.click(*page.middle(3))  # a click chooses that one alone
    assert chosen(page) == [3]


def test_keys_move_size_flip_and_remove_all_that_is_chosen(page, tmp_path):
    count = len(page.view["tokens"])
    listed(page, 1).click()
    listed(page, 2).click(modifiers=["Shift"])
    for keys in (["ArrowRight", "Shift+ArrowDown"], ["+"], ["f"]):
        for key in keys:
            page.page.keyboard.press(key)
        page.settled()
    assert page.page.locator("#handles").get_attribute("hidden") is not None
    for name in ("nearer", "farther"):
        assert page.page.locator(f"[data-do={name}]").get_attribute("aria-disabled") == "true"
    assert history(page, tmp_path) == ("move 1 2 by 1,10", "resize 1 2 by 1.1", "flip 1 2")
    page.page.keyboard.press("Control+a")
    assert len(chosen(page)) == count
    page.page.keyboard.press("Delete")
    page.settled()
    assert page.view["tokens"] == [] and chosen(page) == []
    page.page.keyboard.press("Control+z")
    page.settled()
    assert len(page.view["tokens"]) == count


def test_objects_are_aligned_spaced_and_swapped_from_the_menu_as_by_command(page, file, vlegen, tmp_path, one_thread):
    start = page.shown()
    listed(page, 1).click()
    assert not allowed(page, "Align bottom edges") and not allowed(page, "Swap places") and allowed(page, "Copy")
    listed(page, 2).click(modifiers=["Control"])
    arrange(page, "Swap places")
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "swap", file, "--token", 1, "--token", 2))
    page.page.keyboard.press("Control+z")
    page.settled()
    assert not allowed(page, "Space evenly from left to right")
    listed(page, 3).click(modifiers=["Shift"])
    assert not allowed(page, "Swap places")
    arrange(page, "Align bottom edges")
    arrange(page, "Space evenly from left to right")
    assert history(page, tmp_path) == ("align 1 2 3 bottom", "distribute 1 2 3 horizontally")
    told = ("align 1 2 3 bottom", "distribute 1 2 3 horizontally")
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "edit", file, *told))
    for _ in range(2):
        page.page.keyboard.press("Control+z")
        page.settled()
    assert np.array_equal(page.shown(), start)


def test_by_touch_several_are_chosen_after_a_button_is_pressed(page):
    page.page.get_by_role("button", name="Choose several").click()
    for index in (1, 4, 4, 2):
        page.page.mouse.click(*page.middle(index))
    assert chosen(page) == [1, 2]
    before = page.token(2)
    page.drag(1, 30, 0)
    assert page.token(2)["x"] > before["x"] and chosen(page) == [1, 2]
    page.page.keyboard.press("m")
    page.page.mouse.click(*page.middle(4))
    assert chosen(page) == [4]


def test_duplicates_of_several_are_one_step_and_are_chosen(page):
    count = len(page.view["tokens"])
    listed(page, 1).click()
    listed(page, 3).click(modifiers=["Shift"])
    page.page.keyboard.press("Control+d")
    page.settled()
    assert len(page.view["tokens"]) == count + 2 and chosen(page) == [count + 1, count + 2]
    page.page.keyboard.press("Control+z")
    page.settled()
    assert len(page.view["tokens"]) == count


def test_what_is_copied_is_pasted_beside_itself_and_into_another_picture(page, scenes, tmp_path):
    count = len(page.view["tokens"])
    assert not allowed(page, "Paste")
    listed(page, 1).click()
    page.page.keyboard.press("Control+c")
    said(page).to_contain_text("Copied 1 object")
    original = page.token(1)
    for times in (1, 2):
        page.page.keyboard.press("Control+v")
        page.settled()
        copy = page.token(count + times)
        assert chosen(page) == [count + times] and copy["label"] == original["label"]
        assert abs(copy["x"] - original["x"]) == pytest.approx(10 * times, abs=1)
    shutil.copy(scenes / "300001.png", tmp_path / "other.png")
    page.open(tmp_path / "other.png")
    others = len(page.view["tokens"])
    arrange(page, "Paste")
    pasted = page.token(others + 1)
    assert (pasted["x"], pasted["y"]) == pytest.approx((original["x"], original["y"]), abs=0.05)
    assert history(page, tmp_path) == ("paste 1 from 'img.png'",)


def test_what_is_cut_in_one_window_is_pasted_in_another(browser, studio, page, file, page_at):
    tab = browser.new_page()
    other = page_at(tab, studio)
    other.open(file)
    count = len(page.view["tokens"])
    tab.evaluate("localStorage.clear()")
    page.page.bring_to_front()
    listed(page, 2).click()
    label = page.token(2)["label"]
    page.page.keyboard.press("Control+x")
    page.until(f"window.studio.editor.view.tokens.length === {count - 1}")
    page.settled()
    tab.bring_to_front()
    other.until("document.querySelector('[data-do=paste]').getAttribute('aria-disabled') === 'false'")
    tab.keyboard.press("Control+v")
    other.until(f"window.studio.editor.view.tokens.length === {count + 1}")
    other.settled()
    assert other.token(count + 1)["label"] == label
    tab.evaluate("fetch(`/api/sessions/${JSON.parse(localStorage.getItem('vlegen-copied')).source}`, { method: 'DELETE' })")
    tab.keyboard.press("Control+v")
    said(other, role="alert").to_contain_text("copy it again")
    other.settled()
    tab.close()
    assert all("400" in fault for fault in other.faults)


def test_the_hue_is_turned_by_a_slider_as_by_command_and_a_row_of_turns_is_one_step(page, file, vlegen, tmp_path, one_thread):
    listed(page, 1).click()
    page.page.keyboard.press("c")
    slider, turned = page.page.get_by_label("Turn the hue"), page.page.locator("#turned")
    for value in ("40", "90", "120"):
        slider.fill(value)
    page.settled()
    playwright.expect(turned).to_have_text("+120°")
    assert "green" in page.token(1)["label"] and history(page, tmp_path) == ("recolor 1 by 120",)
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "recolor", file, "--token", 1, "--hue", 120))
    page.page.keyboard.press("c")
    slider.focus()
    page.page.keyboard.press("ArrowLeft")
    page.settled()
    assert history(page, tmp_path) == ("recolor 1 by 120", "recolor 1 by -1") and page.token(1)["turn"] == 119
    page.page.keyboard.press("c")
    slider.focus()
    for _ in range(2):
        page.page.keyboard.press("Control+z")
        page.settled()
    playwright.expect(turned).to_have_text("0°")
    assert not page.view["can_undo"]


def test_a_painted_mask_is_an_object_of_just_its_pixels(page, file, vlegen, tmp_path, one_thread):
    count, start = len(page.view["tokens"]), page.shown()
    page.page.keyboard.press("b")
    page.page.get_by_role("button", name="Paint a mask").click()
    done = page.page.get_by_role("button", name="Done")
    assert done.get_attribute("aria-disabled") == "true"
    page.pull(page.at(28, 205), 22 * page.zoom, 18 * page.zoom)
    page.page.get_by_role("button", name="Erase").click()
    page.pull(page.at(50, 223), 1, 1)
    alpha = page.page.evaluate(
        "(() => { const c = document.querySelector('#mask');"
        " return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, k) => k % 4 === 3)); })()"
    )
    marked = np.array(alpha).reshape(page.view["height"], page.view["width"]) >= 128
    assert marked[205, 28] and not marked[223, 50] and 200 < marked.sum() < 2000
    done.click()
    page.settled()
    playwright.expect(page.page.locator("#mask")).to_be_hidden()
    assert len(page.view["tokens"]) == count + 1 and np.array_equal(page.shown(), start)
    (index,) = chosen(page)
    assert history(page, tmp_path) == ()
    assert np.array_equal(VLETokens.load(tmp_path / "s.vle").label_map() == index, marked)
    Image.fromarray(marked).save(tmp_path / "mask.png")
    page.page.keyboard.press("Shift+ArrowUp")
    page.settled()
    told = ("--mask", tmp_path / "mask.png", "--dx", 0, "--dy", -10)
    assert np.array_equal(page.shown(), commanded(vlegen, tmp_path, "move", file, *told))


def test_a_mask_is_painted_by_keys_or_opened_and_what_is_none_is_said(page, picture, tmp_path):
    count = len(page.view["tokens"])
    page.page.keyboard.press("b")
    page.page.get_by_role("button", name="Paint a mask").click()
    where = page.page.locator("#mask")
    playwright.expect(where).to_be_focused()
    page.page.keyboard.press("Enter")
    said(page).to_contain_text("Nothing is marked yet")
    for key in (*["]"] * 3, *["ArrowDown"] * 20, *["Shift+ArrowDown"] * 4):
        page.page.keyboard.press(key)
    said(page).to_contain_text("Brush at 128, 200")
    page.page.keyboard.press("Enter")
    page.settled()
    assert len(page.view["tokens"]) == count + 1
    page.page.keyboard.press("b")
    for size, text in (((40, 40), "the mask is 40 x 40: expected 256 x 256"), (picture.size, None)):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).ellipse((20, 195, 60, 235), fill=255)
        mask.save(tmp_path / "mask.png")
        page.page.set_input_files("#mask-input", tmp_path / "mask.png")
        if text:
            said(page, role="alert").to_contain_text(text, ignore_case=True)
        page.settled()
    page.until(f"window.studio.editor.view.tokens.length === {count + 2}")
    page.settled()
    page.faults = [fault for fault in page.faults if "400" not in fault]
    page.page.keyboard.press("b")
    page.page.get_by_role("button", name="Paint a mask").click()
    page.page.keyboard.press("Escape")
    playwright.expect(where).to_be_hidden()


def test_every_tool_is_within_a_small_phone_and_has_a_name(browser, studio, file, page_at):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 360, "height": 700})
    page = page_at(tab, studio)
    page.open(file)
    listed(page, 1).click()

    def within(controls) -> None:
        assert controls
        for control in controls:
            box = control.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] >= 0 and box["y"] + box["height"] <= 700
            assert box["width"] >= 34 and box["height"] >= 36, control.evaluate("c => c.outerHTML")

    tab.click("#arrange-menu summary")
    within(tab.locator("#arrange-menu .menu button").all())
    tab.keyboard.press("Escape")
    tab.click("#picture-tools [data-do=point-out]")
    tab.get_by_role("button", name="Paint a mask").click()
    within(tab.locator(".pointing button, button.pointing").all())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.close()
    assert not page.faults
