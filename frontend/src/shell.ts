/** The frame around every page: theme, rail, menus. All of it works as links and forms without this file. */
import { remember } from "./cookies";

type Theme = "auto" | "light" | "dark";

export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  remember("hongyan_theme", theme);
  for (const item of document.querySelectorAll<HTMLElement>("[data-set-theme]"))
    item.setAttribute("aria-current", String(item.dataset.setTheme === theme));
  document.dispatchEvent(new CustomEvent("hy:theme"));
}

function toggleRail(button: HTMLElement): void {
  const shell = document.querySelector<HTMLElement>(".shell");
  if (!shell) return;
  const closed = shell.dataset.rail !== "closed";
  shell.dataset.rail = closed ? "closed" : "open";
  button.setAttribute("aria-expanded", String(!closed));
  remember("hongyan_rail", closed ? "closed" : "open");
}

function closeMenus(except?: Node | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]"))
    if (!except || !menu.contains(except)) menu.open = false;
}

function moveInMenu(event: KeyboardEvent): void {
  const menu = (event.target as Element).closest<HTMLDetailsElement>("details.menu[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary")?.focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const items = [...menu.querySelectorAll<HTMLElement>(".menu-item:not([disabled])")];
  const next = items[(items.indexOf(document.activeElement as HTMLElement) + step + items.length) % items.length];
  next?.focus();
  event.preventDefault();
}

/** What scrolls sideways must be reachable by keyboard; whether it scrolls depends on the width. */
function reachScrollers(root: ParentNode = document): void {
  for (const box of root.querySelectorAll<HTMLElement>(".table-scroll, .steps")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (!scrolls) {
      if (box.dataset.reached) box.removeAttribute("tabindex");
      continue;
    }
    if (box.hasAttribute("tabindex")) continue;
    box.dataset.reached = "yes";
    box.tabIndex = 0;
  }
}

export function startShell(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    closeMenus(target);
    const theme = target.closest<HTMLElement>("[data-set-theme]");
    if (theme) {
      event.preventDefault();
      setTheme(theme.dataset.setTheme as Theme);
      closeMenus();
    }
    const rail = target.closest<HTMLElement>("[data-toggle-rail]");
    if (rail) toggleRail(rail);
  });
  document.addEventListener("keydown", moveInMenu);
  reachScrollers();
  document.addEventListener("htmx:after:swap", () => reachScrollers());
  document.addEventListener("toggle", () => reachScrollers(), { capture: true }); // tables inside details
  window.addEventListener("resize", () => reachScrollers());
}
