import { describe, expect, it } from "vitest";
import { propertyComparing, startValue, valueKind, withOperator } from "./comparisons";
import { groupOf, turned, withFilter, withMember, withWhere } from "./filters";
import { endsAbsent, howOf, windowMode, withDate, withHow, withNewStep, withoutStep, withStepMoved, withWindow } from "./happenings";
import { fitting, stepped } from "./listbox";
import { cut } from "./marks";
import type { JsonObject } from "./tree";
import { type Field, inList, propertyField } from "./vocabulary";

describe("values fit their operator", () => {
  const text: Field = { key: "city", label: "City", type: "text", group: "place", suggests: true, choices: [] };
  const number: Field = { ...text, key: "n", type: "number" };

  it("keeps a value that still fits, and every other key", () => {
    expect(withOperator({ field: "city", op: "=", value: "上海" }, "in", text)).toEqual({ field: "city", op: "in", value: ["上海"] });
    expect(withOperator({ property: "city", op: "in", value: ["上海"] }, "contains", text)).toEqual({ property: "city", op: "contains", value: "上海" });
  });

  it("drops it where none is wanted", () => {
    expect(withOperator({ field: "city", op: "=", value: "上海" }, "is_set", text)).toEqual({ field: "city", op: "is_set" });
  });

  it("never keeps a value of another kind", () => {
    expect(startValue(number, "between", 5)).toEqual([5, 5]);
    expect(startValue(number, "in", ["a"])).toEqual([]);
    expect(startValue(number, "=", "5")).toBe(0);
    expect(valueKind("time", "between")).toBe("days");
    expect(valueKind("date", "within_next_days")).toBe("span");
  });
});

describe("properties of events", () => {
  it("of several kinds take the one their value has", () => {
    const field = propertyField("amount", ["number", "text"]);
    expect(propertyComparing(field, { op: "=", value: "a" }).field.type).toBe("text");
    expect(propertyComparing(field, { op: "=", value: 3 }).field.type).toBe("number");
    expect(propertyComparing(field, { op: ">=", value: null }).field.type).toBe("number");
  });

  it("that hold times are asked as times, and as texts where somebody did", () => {
    const field = propertyField("paid_at", ["time", "text"]);
    expect(propertyComparing(field, { property: "paid_at" }).field.type).toBe("time");
    expect(propertyComparing(field, { op: "within_last_days", value: 30 }).field.type).toBe("time");
    expect(propertyComparing(field, { op: "between", value: ["2026-01-01", "2026-01-31"] }).field.type).toBe("time");
    expect(propertyComparing(field, { op: "starts_with", value: "2026" }).field.type).toBe("text");
    expect(withOperator({ property: "paid_at", op: "before", value: "2026-01-01" }, "between", { ...field, type: "time" }).value).toEqual([
      "2026-01-01",
      "2026-01-01",
    ]);
    const unknown = propertyField("x", ["text", "number", "boolean", "time"]);
    expect(propertyComparing(unknown, { property: "x" }).field.type).toBe("text");
  });

  it("of the things of a list say so", () => {
    expect(inList("products[].category")).toBe(true);
    expect(propertyField("products[].category", ["text"]).label).toBe("category of one of the products");
    expect(propertyField("lines[].colour", ["text"]).label).toBe("colour of one of the lines");
  });

  it("of no comparable kind can only be there or not", () => {
    const found = propertyComparing(propertyField("products", []), { op: "is_set" });
    expect(found.operators).toEqual([["sealed", ["is_set", "is_not_set"]]]);
  });
});

describe("measures", () => {
  const body: JsonObject = { event: "order_completed", op: ">=", count: 2, within_days: 90, where: { property: "x", op: "is_set" } };

  it("are named by how the part asks", () => {
    expect(howOf(body)).toBe("count:>=");
    expect(howOf({ event: "x" })).toBe("count:>=");
    expect(howOf({ event: "x", op: "=", count: 0 })).toBe("never");
    expect(howOf({ event: "x", measure: "count", op: "<=", count: 3 })).toBe("count:<=");
    expect(howOf({ event: "x", measure: "sum", property: "a", op: ">=", value: 1 })).toBe("sum");
  });

  it("change into one another and leave no key behind that does not belong", () => {
    const rest = { event: "order_completed", within_days: 90, where: { property: "x", op: "is_set" } };
    const sum = withHow(body, "sum", "total");
    expect(sum).toEqual({ ...rest, measure: "sum", property: "total", op: ">=", value: 0 });
    expect(withHow({ ...sum, value: 7 }, "average")).toEqual({ ...rest, measure: "average", property: "total", op: ">=", value: 7 });
    expect(withHow(sum, "last_at")).toEqual({ ...rest, measure: "last_at", op: "within_last_days", value: 30 });
    expect(withHow(sum, "never")).toEqual({ ...rest, op: "=", count: 0 });
    expect(withHow(withHow(sum, "never"), "count:<=")).toEqual({ ...rest, op: "<=", count: 1 });
    expect(withHow({ ...rest, measure: "last", property: "city", op: "contains", value: "x" }, "max", "n")).toEqual({
      ...rest,
      measure: "max",
      property: "city",
      op: ">=",
      value: 0,
    });
  });
});

describe("windows", () => {
  it("are one of four, and change without traces", () => {
    const body: JsonObject = { event: "x", within_hours: 12 };
    expect(windowMode(body)).toBe("last");
    const ago = withWindow(body, "ago", "2026-01-31");
    expect(ago).toEqual({ event: "x", days_ago: [90, 30] });
    const dates = withWindow(ago, "dates", "2026-01-31");
    expect(dates).toEqual({ event: "x", from: "2026-01-31", to: "2026-01-31" });
    expect(withWindow(dates, "ever", "2026-01-31")).toEqual({ event: "x" });
    expect(withWindow(dates, "last", "2026-01-31")).toEqual({ event: "x", within_days: 90 });
  });

  it("open at one end, but emptied at both they are unfinished, not ever", () => {
    const open = withDate({ event: "x", from: "2026-01-01", to: "2026-01-31" }, "to", "");
    expect(open).toEqual({ event: "x", from: "2026-01-01" });
    expect(withDate(open, "from", "")).toEqual({ event: "x", from: "" });
  });
});

describe("sequences", () => {
  const body: JsonObject = { sequence: [{ event: "a" }, { event: "b", within: { days: 7 } }], within_days: 90 };

  it("grow before a last step that did not happen", () => {
    const ended = withNewStep(body, "c", true);
    expect(endsAbsent(ended)).toBe(true);
    expect(withNewStep(ended, "d", false).sequence).toEqual([
      { event: "a" },
      { event: "b", within: { days: 7 } },
      { event: "d", within: { days: 7 } },
      { not_event: "c", within: { days: 1 } },
    ]);
  });

  it("have no limit at their first step", () => {
    expect(withoutStep(withNewStep(body, "c", false), 0).sequence).toEqual([{ event: "b" }, { event: "c", within: { days: 7 } }]);
    expect(withStepMoved(body, 0, 1).sequence).toEqual([{ event: "b" }, { event: "a", within: { days: 7 } }]);
  });
});

describe("filters", () => {
  const x: JsonObject = { property: "x", op: "=", value: 1 };
  const y: JsonObject = { property: "y", op: "is_set" };

  it("join into a group with the second, and part again", () => {
    expect(withFilter(undefined, x)).toEqual(x);
    const two = withFilter(x, y);
    expect(two).toEqual({ all: [x, y] });
    expect(withFilter(two, x)).toEqual({ all: [x, y, x] });
    const group = groupOf(two);
    expect(group && withMember(group, 0, undefined)).toEqual(y);
  });

  it("keep a negated whole when one is added beside it", () => {
    expect(withFilter({ not: { any: [x, y] } }, x)).toEqual({ all: [{ not: { any: [x, y] } }, x] });
    expect(turned(turned(x))).toEqual(x);
  });

  it("leave no key behind", () => {
    expect(withWhere({ event: "a", where: x }, undefined)).toEqual({ event: "a" });
  });
});

describe("searching a list", () => {
  const options = [
    { value: "event:lifecycle_changed", label: "moved to another lifecycle stage", group: "Did" },
    { value: "tag", label: "Tag", group: "Has" },
    { value: "tag_group", label: "Any tag of a group", group: "Has" },
  ];

  it("puts the name itself before what only holds it", () => {
    expect(fitting(options, "TAG").map(({ value }) => value)).toEqual(["tag", "tag_group", "event:lifecycle_changed"]);
    expect(fitting(options, "tag")[0]).toEqual({ value: "tag", label: "Tag", note: "Has" });
    expect(fitting(options, "")).toEqual(options);
    expect(fitting(options, "nothing")).toEqual([]);
  });

  it("walks round the ends", () => {
    expect([stepped(2, 3, "ArrowDown"), stepped(0, 3, "ArrowUp"), stepped(1, 3, "a"), stepped(0, 0, "ArrowDown")]).toEqual([0, 2, 1, -1]);
  });
});

describe("marks", () => {
  it("count characters, not halves of them", () => {
    expect(cut("𠮷 = x", [{ start: 4, end: 5, message: "" }])).toEqual([
      { text: "𠮷 = ", wrong: false },
      { text: "x", wrong: true },
    ]);
    expect(cut("ab", [{ start: 2, end: 2, message: "" }])).toEqual([
      { text: "ab", wrong: false },
      { text: "", wrong: true },
    ]);
  });
});
