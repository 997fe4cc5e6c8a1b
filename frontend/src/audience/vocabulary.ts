/** What conditions may speak of, as `audiences:vocabulary` answers, and the fitting first state of each kind of condition. */
import { say } from "../words";
import type { Condition, Head, Json, JsonObject } from "./tree";
import { condition } from "./tree";

export type FieldType = "text" | "number" | "boolean" | "date" | "time" | "choice" | "choices" | "sealed";

export interface Named {
  value: string;
  label: string;
  group?: string;
}

export interface Field {
  key: string;
  label: string;
  type: FieldType;
  group: string;
  suggests: boolean;
  choices: { value: string | number; label: string }[];
}

export interface Vocabulary {
  fields: Field[];
  operators: Record<FieldType, string[]>;
  tags: Named[];
  tag_groups: Named[];
  lists: Named[];
  audiences: Named[];
  events: Named[];
  channels: Named[];
  topics: Named[];
  states: Named[];
}

export const GROUPS: [string, string][] = [
  ["person", say("个人", "Person")],
  ["place", say("地区", "Place")],
  ["orders", say("订单", "Orders")],
  ["company", say("公司", "Company")],
  ["activity", say("来源与活动", "Source and activity")],
  ["standing", say("生命周期与 RFM", "Lifecycle and RFM")],
  ["standing", say("生命周期与 RFM", "Lifecycle and RFM")],
  ["custom", say("自定义字段", "Custom fields")],
];

/** Operators in words; where a type has its own way to say it, `type:op` comes first. */
const OPERATORS: Record<string, string> = {
  "=": say("是", "is"),
  "!=": say("不是", "is not"),
  in: say("是其中之一", "is one of"),
  not_in: say("不是其中任何一个", "is none of"),
  contains: say("包含", "contains"),
  starts_with: say("开头是", "starts with"),
  ">": say("大于", "more than"),
  ">=": say("至少", "at least"),
  "<": say("小于", "less than"),
  "<=": say("至多", "at most"),
  between: say("介于", "from … to"),
  before: say("早于", "before"),
  after: say("晚于", "after"),
  within_last_days: say("在最近几天内", "in the last days"),
  within_next_days: say("在未来几天内", "in the next days"),
  is_set: say("有值", "is known"),
  is_not_set: say("没有值", "is not known"),
  "number:=": say("等于", "equals"),
  "number:!=": say("不等于", "does not equal"),
  "choices:contains": say("包括", "includes"),
};

export function operatorLabel(op: string, type: FieldType): string {
  return OPERATORS[`${type}:${op}`] ?? OPERATORS[op] ?? op;
}

export const COUNTS: [string, string][] = [
  [">=", say("至少", "at least")],
  ["<=", say("至多", "at most")],
  ["=", say("正好", "exactly")],
];

export type ValueKind =
  | "none"
  | "text"
  | "texts"
  | "number"
  | "numbers"
  | "pair"
  | "flag"
  | "day"
  | "days"
  | "span"
  | "choice"
  | "choiceList";

/** Which input an operator of a type asks for. */
export function valueKind(type: FieldType, op: string): ValueKind {
  if (op === "is_set" || op === "is_not_set") return "none";
  if (op === "within_last_days" || op === "within_next_days") return "span";
  const several = op === "in" || op === "not_in";
  switch (type) {
    case "text":
      return several ? "texts" : "text";
    case "number":
      return op === "between" ? "pair" : several ? "numbers" : "number";
    case "boolean":
      return "flag";
    case "date":
    case "time":
      return op === "between" ? "days" : "day";
    case "choice":
      return several ? "choiceList" : "choice";
    case "choices":
      return "choice";
    default:
      return "none";
  }
}

/** The value an operator starts with; `kept` from before when it still fits. */
export function startValue(field: Field, op: string, kept: Json | undefined): Json | undefined {
  const first = field.choices[0]?.value ?? "";
  const one = Array.isArray(kept) ? kept[0] : kept;
  switch (valueKind(field.type, op)) {
    case "none":
      return undefined;
    case "span":
      return typeof kept === "number" ? kept : 30;
    case "texts":
      return Array.isArray(kept) ? kept : typeof one === "string" && one ? [one] : [];
    case "numbers":
      return Array.isArray(kept) ? kept : typeof one === "number" ? [one] : [];
    case "choiceList":
      return Array.isArray(kept) ? kept : [typeof one === "string" || typeof one === "number" ? one : first];
    case "pair":
      return Array.isArray(kept) && kept.length === 2
        ? kept
        : [typeof one === "number" ? one : 0, typeof one === "number" ? one : 0];
    case "days":
      return Array.isArray(kept) && kept.length === 2 ? kept : [isDay(one) ? one : "", isDay(one) ? one : ""];
    case "day":
      return isDay(one) ? one : "";
    case "flag":
      return typeof one === "boolean" ? one : true;
    case "number":
      return typeof one === "number" ? one : 0;
    case "choice":
      return one !== undefined && field.choices.some((choice) => choice.value === one) ? one : first;
    default:
      return typeof one === "string" ? one : "";
  }
}

function isDay(value: Json | undefined): value is string {
  return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value);
}

export function withField(key: string, words: Vocabulary): JsonObject {
  const field = words.fields.find((item) => item.key === key);
  const op = field ? (words.operators[field.type][0] ?? "is_set") : "is_set";
  const value = field ? startValue(field, op, undefined) : undefined;
  return { field: key, op, ...(value === undefined ? {} : { value }) };
}

export function withOperator(body: JsonObject, op: string, field: Field): JsonObject {
  const value = startValue(field, op, body.value);
  return { field: field.key, op, ...(value === undefined ? {} : { value }) };
}

/** A new condition of a kind; for fields `key` says which. */
export function start(head: Head, words: Vocabulary, key = ""): Condition {
  switch (head) {
    case "field":
      return condition("field", withField(key || (words.fields[0]?.key ?? ""), words));
    case "tag":
      return condition("tag", { tag: words.tags[0]?.value ?? "" });
    case "tag_group":
      return condition("tag_group", { tag_group: words.tag_groups[0]?.value ?? "" });
    case "list":
      return condition("list", { list: words.lists[0]?.value ?? "" });
    case "audience":
      return condition("audience", { audience: words.audiences[0]?.value ?? "" });
    case "consent":
      return condition("consent", { consent: { channel: "email", state: "given" } });
    case "event":
      return condition("event", { event: words.events[0]?.value ?? "", op: ">=", count: 1, within_days: 90 });
  }
}
