import { afterEach, beforeEach, describe, expect, it } from "vitest";
import "./hy-table";
import { attach } from "../testing";

function show(): void {
  attach(`<hy-table data-name="t"><div data-columns-menu></div>
    <button data-set-density="dense"></button>
    <table><thead><tr><th><input type="checkbox" data-check-all></th><th data-col="city">City</th></tr></thead>
    <tbody>${[1, 2, 3].map((n) => `<tr><td><input class="row-check" type="checkbox" value="${n}"></td><td>x</td></tr>`).join("")}</tbody></table>
    <div class="bulk-bar" hidden><b data-count></b><button data-clear></button></div></hy-table>`);
}

const all = () => document.querySelector("[data-check-all]") as HTMLInputElement;
const rows = () => [...document.querySelectorAll<HTMLInputElement>(".row-check")];
const bar = () => document.querySelector(".bulk-bar") as HTMLElement;

function set(box: HTMLInputElement, checked: boolean): void {
  box.checked = checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

beforeEach(() => {
  localStorage.clear();
  show();
});
afterEach(() => {
  document.body.innerHTML = "";
});

describe("hy-table", () => {
  it("shows the bulk bar while rows are chosen", () => {
    set(rows()[0] as HTMLInputElement, true);
    expect(bar().hidden).toBe(false);
    expect(all().indeterminate).toBe(true);
    (document.querySelector("[data-clear]") as HTMLElement).click();
    expect(bar().hidden).toBe(true);
    expect(rows().every((row) => !row.checked)).toBe(true);
  });

  it("chooses all at once", () => {
    set(all(), true);
    expect(rows().every((row) => row.checked)).toBe(true);
    expect(document.querySelector("[data-count]")?.textContent).toBe("3");
  });

  it("remembers hidden columns and density", () => {
    set(document.querySelector("[data-column=city]") as HTMLInputElement, false);
    (document.querySelector("[data-set-density]") as HTMLElement).click();
    show();
    expect(document.querySelector<HTMLElement>("th[data-col]")?.hidden).toBe(true);
    expect(document.querySelector<HTMLElement>("tbody td:nth-child(2)")?.hidden).toBe(true);
    expect(document.querySelector<HTMLElement>("hy-table")?.dataset.density).toBe("dense");
  });
});
