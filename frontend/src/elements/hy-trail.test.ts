import { beforeEach, expect, test } from "vitest";
import { attach } from "../testing";
import "./hy-trail";

function put(html: string): HTMLElement {
  attach(html);
  const found = document.querySelector<HTMLElement>("hy-trail");
  if (!found) throw new Error("no trail");
  return found;
}

beforeEach(() => {
  sessionStorage.clear();
});

const page = (id: string): string => `/contacts/${id}/`;

test("opening a row keeps the order of the list", () => {
  const list = put(
    `<hy-trail data-keep data-name="contacts"><a class="row-title" href="${page("a")}">A</a><a class="row-title" href="${page("b")}">B</a><a href="/x/">x</a></hy-trail>`,
  );
  list.addEventListener("click", (event) => event.preventDefault());
  list.querySelector<HTMLElement>("a:not(.row-title)")?.click();
  expect(sessionStorage.length).toBe(0);
  list.querySelector<HTMLElement>("a.row-title")?.click();
  const kept = JSON.parse(sessionStorage.getItem("hy-trail:contacts") ?? "{}") as { pages: string[] };
  expect(kept.pages).toEqual([page("a"), page("b")]);
});

test("a page of the list leads to its neighbours, another page to none", () => {
  history.replaceState(null, "", page("b"));
  sessionStorage.setItem("hy-trail:contacts", JSON.stringify({ list: "/contacts/?city=x", pages: [page("a"), page("b")] }));
  const markup = `<hy-trail data-name="contacts" hidden><span data-place></span><a data-previous>‹</a><a data-next>›</a></hy-trail>`;
  const trail = put(markup);
  expect(trail.hidden).toBe(false);
  expect(trail.querySelector<HTMLAnchorElement>("[data-previous]")?.pathname).toBe(page("a"));
  expect(trail.querySelector("[data-next]")?.getAttribute("aria-disabled")).toBe("true");
  expect(trail.querySelector("[data-place]")?.textContent).toBe("2 / 2");
  history.replaceState(null, "", page("z"));
  expect(put(markup).hidden).toBe(true);
});
