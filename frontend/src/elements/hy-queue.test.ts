import { describe, expect, it, vi } from "vitest";

import { attach } from "../testing";
import "./hy-queue";

const PAGE = `<hy-queue><nav><a class="queue-item" href="#1" aria-current="true">1</a><a class="queue-item" href="#2">2</a></nav>
  <input type="text"><input type="radio"><button data-main data-key="m">Merge</button><button data-key="a">Apart</button></hy-queue>`;

function press(key: string, target: Element = document.body, more: KeyboardEventInit = {}): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
}

describe("hy-queue", () => {
  it("presses what a letter names", () => {
    attach(PAGE);
    const merge = vi.fn();
    const apart = vi.fn();
    document.querySelector("[data-key=m]")?.addEventListener("click", merge);
    document.querySelector("[data-key=a]")?.addEventListener("click", apart);
    press("m");
    press("e");
    press("a");
    press("x");
    expect(merge).toHaveBeenCalledTimes(2);
    expect(apart).toHaveBeenCalledTimes(1);
  });

  it("keeps still while somebody types, but not beside a choice", () => {
    attach(PAGE);
    const merge = vi.fn();
    document.querySelector("[data-key=m]")?.addEventListener("click", merge);
    press("m", document.querySelector("[type=text]")!);
    expect(merge).not.toHaveBeenCalled();
    press("m", document.querySelector("[type=radio]")!);
    expect(merge).toHaveBeenCalledOnce();
  });

  it("does not decide again while a key is held down", () => {
    attach(PAGE);
    const merge = vi.fn();
    document.querySelector("[data-key=m]")?.addEventListener("click", merge);
    press("m", document.body, { repeat: true });
    press("m", document.body, { ctrlKey: true });
    expect(merge).not.toHaveBeenCalled();
  });

  it("walks the list", () => {
    attach(PAGE);
    press("j");
    expect(document.querySelectorAll(".queue-item")[1]?.getAttribute("aria-current")).toBe("true");
  });
});
