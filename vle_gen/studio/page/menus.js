// Menus: buttons that open a panel. One is open at a time; Escape and a click elsewhere close it.

const menus = [...document.querySelectorAll('details')];

export const openMenu = () => menus.find((menu) => menu.open);

/** Closes the menu that is open, if one is; with `back`, the keyboard goes on at its button. */
export function closeMenu(back = false) {
  const menu = openMenu();
  if (!menu) return;
  menu.open = false;
  if (back) menu.querySelector('summary').focus();
}

/** Opens a menu as its button does, or closes it, and puts the keyboard into it. */
export function toggle(menu) {
  const summary = menu.querySelector('summary');
  if (summary.getAttribute('aria-disabled') === 'true' || !summary.checkVisibility()) return;
  menu.open = !menu.open;
  if (menu.open) enter(menu); // now: keys may follow before it is told that it is open
  else summary.focus();
}

const enter = (menu) => menu.querySelector('.menu :is(input, button)')?.focus({ preventScroll: true });

for (const menu of menus) {
  menu.addEventListener('toggle', () => {
    if (!menu.open) return;
    for (const other of menus) if (other !== menu) other.open = false;
    if (!menu.querySelector('.menu').contains(document.activeElement)) enter(menu);
  });
  menu.querySelector('summary').addEventListener('click', (event) => {
    if (event.currentTarget.getAttribute('aria-disabled') === 'true') event.preventDefault();
  });
}
document.addEventListener('click', (event) => {
  const menu = openMenu();
  if (menu && !menu.contains(event.target)) menu.open = false;
});
