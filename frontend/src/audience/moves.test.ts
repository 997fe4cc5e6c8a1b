import { describe, expect, it } from "vitest";
import { acted, beside } from "./acts";
import { History } from "./history";
import { added, changed, duplicated, find, moved, parentOf, placed, removed, unwrapped, wrappedIn } from "./moves";
import { condition, type Group, type Json, read, write } from "./tree";

const a: Json = { tag: "a" };
const b: Json = { tag: "b" };
const c: Json = { tag: "c" };
const d: Json = { tag: "d" };

function tree(root: Group): Json {
  return write({ everyone: false, root }).tree;
}

function idOf(root: Group, tag: string): number {
  const look = (group: Group): number | undefined => {
    for (const item of group.items) {
      if (item.kind === "condition" && item.body.tag === tag) return item.id;
      const found = item.kind === "group" ? look(item) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return look(root) ?? -1;
}

const { root } = read({ all: [a, { any: [b, c] }, d] });
const inner = parentOf(root, idOf(root, "b"))?.group.id ?? -1;

describe("changes", () => {
  it("touch only the part", () => {
    const next = changed(root, idOf(root, "a"), (item) => ({ ...item, not: true }));
    expect(find(next, idOf(root, "a"))?.not).toBe(true);
    expect(next.items[1]).toEqual(root.items[1]);
    expect(find(root, idOf(root, "a"))?.not).toBe(false);
  });

  it("add into inner groups, at a place", () => {
    expect(tree(added(root, inner, condition("tag", { tag: "x" }), 1))).toEqual({
      all: [a, { any: [b, { tag: "x" }, c] }, d],
    });
  });

  it("drop groups that become empty", () => {
    const next = removed(removed(root, idOf(root, "b")), idOf(root, "c"));
    expect(tree(next)).toEqual({ all: [a, d] });
  });
});

describe("moving", () => {
  it("goes into a group that stands in the way, through it and out again", () => {
    const seen: Json[] = [];
    let now = root;
    for (let step = 0; step < 5; step += 1) {
      now = moved(now, idOf(root, "a"), 1);
      seen.push(tree(now));
    }
    expect(seen).toEqual([
      { all: [{ any: [a, b, c] }, d] },
      { all: [{ any: [b, a, c] }, d] },
      { all: [{ any: [b, c, a] }, d] },
      { all: [{ any: [b, c] }, a, d] },
      { all: [{ any: [b, c] }, d, a] },
    ]);
  });

  it("is undone by the way back", () => {
    const there = moved(moved(root, idOf(root, "d"), -1), idOf(root, "d"), -1);
    expect(tree(moved(moved(there, idOf(root, "d"), 1), idOf(root, "d"), 1))).toEqual(tree(root));
  });

  it("stops at the ends", () => {
    expect(moved(root, idOf(root, "a"), -1)).toBe(root);
    expect(moved(root, idOf(root, "d"), 1)).toBe(root);
  });

  it("puts a part anywhere, but never a group into itself", () => {
    expect(tree(placed(root, idOf(root, "d"), inner, 0))).toEqual({ all: [a, { any: [d, b, c] }] });
    expect(tree(placed(root, idOf(root, "a"), root.id, 3))).toEqual({ all: [{ any: [b, c] }, d, a] });
    expect(placed(root, inner, inner, 0)).toBe(root);
    expect(placed(root, root.id, inner, 0)).toBe(root);
  });
});

describe("groups", () => {
  it("are put around a part and taken apart again", () => {
    const wrapped = wrappedIn(root, idOf(root, "a"));
    expect(tree(wrapped)).toEqual({ all: [{ any: [a] }, { any: [b, c] }, d] });
    expect(tree(unwrapped(root, inner))).toEqual({ all: [a, b, c, d] });
  });

  it("turned around are not taken apart: it would say something else", () => {
    const turned = changed(root, inner, (item) => ({ ...item, not: true }));
    expect(unwrapped(turned, inner)).toBe(turned);
  });

  it("are doubled with new identities all through", () => {
    const made = duplicated(root, inner);
    expect(tree(made.root)).toEqual({ all: [a, { any: [b, c] }, { any: [b, c] }, d] });
    expect(tree(removed(made.root, made.id))).toEqual(tree(root));
  });
});

describe("acts", () => {
  it("leave one on the neighbour of what was removed", () => {
    expect(acted(root, idOf(root, "a"), "remove").at).toBe(inner);
    expect(acted(root, idOf(root, "d"), "remove").at).toBe(inner);
    expect(acted(root, idOf(root, "c"), "remove").at).toBe(idOf(root, "b"));
  });

  it("walk in reading order", () => {
    expect(beside(root, idOf(root, "a"), 1)).toBe(inner);
    expect(beside(root, inner, 1)).toBe(idOf(root, "b"));
    expect(beside(root, idOf(root, "a"), -1)).toBeUndefined();
  });
});

describe("history", () => {
  it("goes back and forth, and forgets what was undone after a new step", () => {
    const history = new History(1);
    history.push(2);
    history.push(3);
    expect(history.undo()).toBe(2);
    expect(history.redo()).toBe(3);
    history.undo();
    history.push(4);
    expect(history.canRedo).toBe(false);
    expect([history.undo(), history.undo(), history.undo()]).toEqual([2, 1, 1]);
  });
});
