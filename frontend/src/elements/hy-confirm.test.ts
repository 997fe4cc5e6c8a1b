import { afterEach, describe, expect, it } from "vitest";
import { attach } from "../testing";
import { plain } from "./hy-confirm";

function show(type: string): { go: HTMLButtonElement; typed: HTMLInputElement } {
  attach(`<hy-confirm data-type="${type}"><button type="button" data-open></button>
    <dialog><h2>Send</h2><input data-typed><button data-go>Go</button></dialog></hy-confirm>`);
  const go = document.querySelector<HTMLButtonElement>("[data-go]");
  const typed = document.querySelector<HTMLInputElement>("[data-typed]");
  if (!go || !typed) throw new Error("incomplete");
  return { go, typed };
}

function type(field: HTMLInputElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input"));
}

afterEach(() => {
  document.body.innerHTML = "";
});

describe("hy-confirm", () => {
  it("lets the button go only for the wanted word", () => {
    const { go, typed } = show("48201");
    expect(go.disabled).toBe(true);
    type(typed, "4820");
    expect(go.disabled).toBe(true);
    type(typed, " 48,201 ");
    expect(go.disabled).toBe(false);
  });

  it("forgets what was typed when it closes", () => {
    const { go, typed } = show("48201");
    type(typed, "48201");
    document.querySelector("dialog")?.dispatchEvent(new Event("close"));
    expect(typed.value).toBe("");
    expect(go.disabled).toBe(true);
  });

  it("names the dialog by its heading", () => {
    show("x");
    const heading = document.querySelector("h2");
    expect(document.querySelector("dialog")?.getAttribute("aria-labelledby")).toBe(heading?.id);
  });
});

describe("plain", () => {
  it("takes full-width digits for digits", () => {
    expect(plain("\uff14\uff18\uff0c\uff12\uff10\uff11")).toBe("48201");
  });
});
