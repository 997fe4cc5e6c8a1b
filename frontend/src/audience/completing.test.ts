import { describe, expect, it } from "vitest";
import { completion } from "./completing";
import type { Vocabulary } from "./vocabulary";

const field = (key: string, type: string, more: object = {}) => ({ key, label: key, type, group: "", suggests: type === "text", choices: [], ...more });
const words = {
  fields: [
    field("city", "text"),
    field("created_at", "time"),
    field("sex", "choice", { choices: [{ value: 1, label: "male" }] }),
    field("lifecycle.stage", "choice", { choices: [{ value: "lost", label: "Lost" }] }),
    field("custom.member level", "text"),
  ],
  operators: {
    text: ["=", "!=", "in", "contains", "is_set"],
    number: ["=", ">="],
    time: ["before", "within_last_days"],
    choice: ["=", "in"],
    boolean: ["="],
    date: [],
    choices: [],
    sealed: [],
  },
  tags: [{ value: "vip", label: "贵宾" }],
  tag_groups: [],
  lists: [],
  audiences: [],
  events: [
    { value: "order_completed", label: "下单", properties: [{ key: "total", kinds: ["number"] }, { key: "coupon", kinds: ["text"] }] },
    { value: "product_viewed", label: "浏览商品", properties: null },
  ],
  objects: [{ value: "gift", label: "Gift", fields: [field("kind", "text")] }],
  channels: [{ value: "email", label: "e-mail" }],
  topics: [{ value: "promotion", label: "Promotion" }],
  states: [],
  examples: [],
} as unknown as Vocabulary;

function at(text: string): { values: string[]; source?: unknown; start: number; end: number } | null {
  const caret = text.indexOf("|");
  const plain = text.replace("|", "");
  const found = completion(plain, caret, words);
  return found && { values: found.options.map(({ value }) => value), source: found.source, start: found.start, end: found.end };
}

describe("what may stand next", () => {
  it("is a field or a way to begin a condition", () => {
    expect(at("ci|")).toMatchObject({ values: expect.arrayContaining(["city "]), start: 0, end: 2 });
    expect(at("|")?.values).toEqual(expect.arrayContaining(['did("', "city ", "`custom.member level` "]));
    expect(at('city = "上海" and not t|')?.values).toContain('tag("');
    expect(at("(ci|")?.values).toContain("city ");
  });

  it("is an event, by its key or its name", () => {
    expect(at('did("|')?.values).toEqual(['"order_completed"', '"product_viewed"']);
    expect(at('did("下|")')).toMatchObject({ values: ['"order_completed"'], start: 4, end: 7 });
    expect(at("sum(|")?.values).toContain('"order_completed"');
  });

  it("is a property of the event in its conditions, and of a measure", () => {
    expect(at('did("order_completed", wh|')?.values).toEqual(["where "]);
    expect(at('did("order_completed", where |')?.values).toEqual(["total ", "coupon ", "not "]);
    expect(at('did("order_completed", where total >= 3 and (co|')?.values).toContain("coupon ");
    expect(at('sum("order_completed", |')?.values).toEqual(["total ", "coupon "]);
    expect(at('has("gift", where k|')?.values).toContain("kind ");
  });

  it("is an operator that the type knows", () => {
    expect(at("city |")?.values).toEqual(["= ", "!= ", "in (", "contains ", "is set"]);
    expect(at("created_at i|")?.values).toEqual(["in last "]);
    expect(at('did("order_completed", where total |')?.values).toEqual(["= ", ">= "]);
  });

  it("is a value: of a closed set at once, real ones from the server", () => {
    expect(at("lifecycle.stage = |")?.values).toEqual(['"lost"']);
    expect(at("sex = |")?.values).toEqual(["1"]);
    expect(at('city = "上|')?.source).toEqual({ field: "city" });
    expect(at('city in ("上海", "|')?.source).toEqual({ field: "city" });
    expect(at('did("order_completed", where coupon = "|')?.source).toEqual({ event: "order_completed", property: "coupon" });
    expect(at('has("gift", where kind = "|')?.source).toEqual({ object: "gift", field: "kind" });
  });

  it("is a tag, a channel, a topic", () => {
    expect(at('tag("|')?.values).toEqual(['"vip"']);
    expect(at("tag(“贵|")?.values).toEqual(['"vip"']);
    expect(at('consent("|')?.values).toEqual(['"email"']);
    expect(at('consent("email", "|')?.values).toEqual(['"promotion"']);
  });

  it("stays away where nothing is begun", () => {
    expect(at('city = "上海" |')).toBeNull();
    expect(at('city = "上海" a|')?.values).toEqual(["and "]);
    expect(at('did("product_viewed", where |')?.values).toEqual(["not "]);
    expect(at("everyone|")).toBeNull();
    expect(at("in 30|")).toBeNull();
  });
});
