import { describe, expect, it } from "vitest";
import {
  added,
  changed,
  condition,
  emptyGroup,
  find,
  type Group,
  History,
  itemAt,
  type Json,
  moved,
  read,
  removed,
  write,
} from "./tree";
import { type Field, startValue, valueKind, withOperator } from "./vocabulary";

const city: Json = { field: "city", op: "=", value: "上海" };
const vip: Json = { tag: "vip" };

describe("a tree read and written again", () => {
  const trees: Json[] = [
    { everyone: true },
    city,
    { all: [city, vip] },
    { any: [city, { not: vip }] },
    { not: { all: [city, vip] } },
    { all: [{ any: [city, vip] }, { not: { any: [vip, city] } }] },
    { event: "order_completed", op: ">=", count: 2, within_days: 90, where: { property: "x", op: "=", value: 1 } },
    { consent: { channel: "email", topic: "promotion", state: "given" } },
  ];
  it.each(trees.map((tree) => [JSON.stringify(tree), tree]))("is the same: %s", (_name, tree) => {
    expect(write(read(tree as Json)).tree).toEqual(tree);
  });

  it("keeps the meaning of double negation", () => {
    expect(write(read({ not: { not: vip } })).tree).toEqual({ not: { all: [{ not: vip }] } });
  });

  it("is nothing, never everyone, without conditions", () => {
    expect(write(read(null)).tree).toBeNull();
    expect(write({ everyone: false, root: emptyGroup() }).tree).toBeNull();
  });

  it("refuses what is no tree", () => {
    expect(() => read({ magic: 1 })).toThrow();
    expect(() => read(["x"])).toThrow();
  });
});

describe("places", () => {
  it("are JSON pointers, through negation", () => {
    const state = read({ all: [city, { not: { any: [vip, city] } }] });
    const { paths } = write(state);
    expect([...paths.values()]).toEqual(["", "/all/0", "/all/1", "/all/1/not/any/0", "/all/1/not/any/1"]);
  });

  it("of a problem lead to the deepest part", () => {
    const state = read({ all: [city, { any: [vip, city] }] });
    const { paths } = write(state);
    const inner = state.root.items[1];
    const target = inner?.kind === "group" ? inner.items[0] : undefined;
    expect(itemAt(paths, "/all/1/any/0/tag")).toBe(target?.id);
    expect(itemAt(paths, "/all/10")).toBe(state.root.id);
  });
});

describe("changes", () => {
  const state = read({ all: [city, { any: [vip, city] }] });
  const [first, second] = state.root.items;

  it("touch only the part", () => {
    const next = changed(state.root, first?.id ?? 0, (item) => ({ ...item, not: true }));
    expect(find(next, first?.id ?? 0)?.not).toBe(true);
    expect(next.items[1]).toEqual(second);
    expect(find(state.root, first?.id ?? 0)?.not).toBe(false);
  });

  it("add into inner groups", () => {
    const next = added(state.root, second?.id ?? 0, condition("tag", { tag: "new" }));
    expect(write({ everyone: false, root: next }).tree).toEqual({ all: [city, { any: [vip, city, { tag: "new" }] }] });
  });

  it("drop groups that become empty", () => {
    const inner = second?.kind === "group" ? second.items : [];
    const next = inner.reduce<Group>((root, item) => removed(root, item.id), state.root);
    expect(write({ everyone: false, root: next }).tree).toEqual(city);
  });

  it("move among neighbours and stop at the ends", () => {
    const next = moved(state.root, second?.id ?? 0, -1);
    expect(next.items[0]?.id).toBe(second?.id);
    expect(moved(next, second?.id ?? 0, -1).items[0]?.id).toBe(second?.id);
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

describe("values fit their operator", () => {
  const text: Field = { key: "city", label: "City", type: "text", group: "place", suggests: true, choices: [] };
  const number: Field = { ...text, key: "n", type: "number" };

  it("keeps a value that still fits", () => {
    expect(withOperator({ field: "city", op: "=", value: "上海" }, "in", text)).toEqual({
      field: "city",
      op: "in",
      value: ["上海"],
    });
    expect(withOperator({ field: "city", op: "in", value: ["上海"] }, "contains", text)).toEqual({
      field: "city",
      op: "contains",
      value: "上海",
    });
  });

  it("drops it where none is wanted", () => {
    expect(withOperator({ field: "city", op: "=", value: "上海" }, "is_set", text)).toEqual({
      field: "city",
      op: "is_set",
    });
  });

  it("makes pairs of numbers", () => {
    expect(startValue(number, "between", 5)).toEqual([5, 5]);
    expect(valueKind("time", "between")).toBe("days");
    expect(valueKind("date", "within_next_days")).toBe("span");
  });
});
