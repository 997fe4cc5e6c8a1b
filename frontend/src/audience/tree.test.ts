import { describe, expect, it } from "vitest";
import { itemAt, type Json, placeOf, read, write, writeItem } from "./tree";

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
    { event: "order_completed", measure: "sum", property: "total", op: ">=", value: 1000, days_ago: [90, 30] },
    { sequence: [{ event: "a" }, { not_event: "b", within: { hours: 2 } }], within_days: 30 },
    { object: "pet", op: ">=", count: 1, where: { property: "kind", op: "=", value: "cat" } },
    { consent: { channel: "email", topic: "promotion", state: "given" } },
    { all: [{ everyone: true }, vip] },
  ];
  it.each(trees.map((tree) => [JSON.stringify(tree), tree]))("is the same: %s", (_name, tree) => {
    expect(write(read(tree as Json)).tree).toEqual(tree);
  });

  it("keeps the meaning of double negation", () => {
    expect(write(read({ not: { not: vip } })).tree).toEqual({ not: { all: [{ not: vip }] } });
  });

  it("is nothing, never everyone, without conditions", () => {
    expect(write(read(null)).tree).toBeNull();
    expect(write(read({ all: [] })).tree).toBeNull();
  });
});

describe("what is not known", () => {
  const strange: Json[] = [
    { magic: 1 },
    ["x"],
    "text",
    7,
    { all: "x" },
    { all: [city], extra: 1 },
    { field: "city", tag: "vip" },
    { everyone: true, tag: "vip" },
    { all: [city, null] },
    { any: [{ not: { magic: 1 } }, vip] },
  ];
  it.each(strange.map((tree) => [JSON.stringify(tree), tree]))("stays as it came: %s", (_name, tree) => {
    expect(write(read(tree as Json)).tree).toEqual(tree);
  });

  it("stands at its place, so that its error is shown there", () => {
    const state = read({ all: [city, { magic: 1 }] });
    const part = state.root.items[1];
    expect(part).toMatchObject({ kind: "condition", head: "unknown", body: { raw: { magic: 1 } } });
    expect(itemAt(write(state).paths, "/all/1")).toBe(part?.id);
  });
});

describe("places", () => {
  it("are JSON pointers, through negation", () => {
    const state = read({ all: [city, { not: { any: [vip, city] } }] });
    const { paths } = write(state);
    expect([...paths.values()]).toEqual(["", "/all/0", "/all/1", "/all/1/not/any/0", "/all/1/not/any/1"]);
    const group = state.root.items[1];
    expect(group && placeOf(group, paths)).toBe("/all/1/not");
  });

  it("of a problem lead to the deepest part", () => {
    const state = read({ all: [city, { any: [vip, city] }] });
    const { paths } = write(state);
    const inner = state.root.items[1];
    const target = inner?.kind === "group" ? inner.items[0] : undefined;
    expect(itemAt(paths, "/all/1/any/0/tag")).toBe(target?.id);
    expect(itemAt(paths, "/all/10")).toBe(state.root.id);
  });

  it("do not matter to a part by itself", () => {
    const [, part] = read({ all: [city, { not: vip }] }).root.items;
    expect(part && writeItem(part)).toEqual({ not: vip });
  });
});
