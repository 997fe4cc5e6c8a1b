import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Asking, type Want } from "./asking";
import { effects } from "./effect";
import { read, write } from "./tree";

interface Asked {
  tree: string;
  want: Want;
  signal: AbortSignal;
  answer: (value: unknown) => void;
}

let asked: Asked[] = [];
const post = (tree: string, want: Want, signal: AbortSignal) =>
  new Promise<unknown>((answer, refuse) => {
    asked.push({ tree, want, signal, answer });
    signal.addEventListener("abort", () => refuse(new DOMException("", "AbortError")));
  });

const settle = () => vi.advanceTimersByTimeAsync(0);
const answer = async (want: Want, tag: string, value: unknown) => {
  asked.find((one) => one.want === want && one.tree.includes(tag) && !one.signal.aborted)?.answer(value);
  await settle();
};

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
});
afterEach(() => vi.useRealTimers());

describe("asking", () => {
  it("shows a count only for the tree it was counted for", async () => {
    const asking = new Asking(post, () => undefined);
    asking.ask({ tag: "a" }, 0);
    await settle();
    await answer("words", "a", { problems: [], sentence: "A" });
    await answer("count", "a", { count: 12, total: 50, ms: 3 });
    expect([asking.phase, asking.size?.count]).toEqual(["known", 12]);

    asking.ask({ tag: "b" }, 0);
    expect([asking.phase, asking.size, asking.before, asking.people]).toEqual(["asking", null, 12, null]);
  });

  it("ends an older question, whose late answer changes nothing", async () => {
    const asking = new Asking(post, () => undefined);
    asking.ask({ tag: "a" }, 0);
    await settle();
    const old = asked.slice();
    asking.ask({ tag: "b" }, 0);
    await settle();
    expect(old.every((one) => one.signal.aborted)).toBe(true);
    for (const one of old) one.answer({ problems: [], count: 99, total: 99 });
    await settle();
    expect([asking.phase, asking.size]).toEqual(["asking", null]);
    await answer("words", "b", { problems: [] });
    await answer("count", "b", { count: 5, total: 50, ms: 1 });
    expect(asking.size?.count).toBe(5);
  });

  it("waits while one types, and asks once", async () => {
    const asking = new Asking(post, () => undefined);
    asking.ask({ tag: "s" }, 250);
    await vi.advanceTimersByTimeAsync(200);
    asking.ask({ tag: "sh" }, 250);
    await vi.advanceTimersByTimeAsync(250);
    expect(asked.map(({ want, tree }) => [want, tree])).toEqual([
      ["count", '{"tag":"sh"}'],
      ["words", '{"tag":"sh"}'],
    ]);
  });

  it("of something wrong tells the problems and no number", async () => {
    const asking = new Asking(post, () => undefined);
    asking.ask({ tag: "a" }, 0);
    await settle();
    await answer("words", "a", { problems: [{ path: "/tag", code: "unknown_tag", message: "?" }] });
    expect([asking.phase, asking.size, asking.before]).toEqual(["wrong", null, null]);
  });
});

describe("effects", () => {
  const state = read({ all: [{ tag: "a" }, { any: [{ tag: "b" }, { tag: "c" }] }] });
  const { paths } = write(state);
  const [first, group] = state.root.items;
  const inner = group?.kind === "group" ? group.items : [];
  const parts = {
    "/all/0": { alone: 40, left: 40 },
    "/all/1": { alone: 30, left: 10 },
    "/all/1/any/0": { alone: 20, left: 20 },
    "/all/1/any/1": { alone: 15, left: 30 },
  };

  it("say what each takes away where all must hold, and brings where any may", () => {
    const found = effects(state, paths, parts, 100);
    expect(found.get(first?.id ?? 0)).toMatchObject({ left: 40, change: -60, of: 100 });
    expect(found.get(group?.id ?? 0)).toMatchObject({ alone: 30, left: 10, change: -30 });
    expect(inner.map((item) => found.get(item.id)?.change)).toEqual([20, 10]);
  });

  it("name the part after which nobody is left", () => {
    const none = { ...parts, "/all/1": { alone: 0, left: 0 } };
    const found = effects(state, paths, none, 100);
    expect([found.get(first?.id ?? 0)?.empties, found.get(group?.id ?? 0)?.empties]).toEqual([false, true]);
  });
});
