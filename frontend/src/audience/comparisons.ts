/** Operators in words, the input each asks for, and values kept when the operator changes. Values in, values out. */
import { say } from "../words";
import type { Json, JsonObject } from "./tree";
import type { Field, FieldType } from "./vocabulary";

/** Where a type has its own way to say it, `type:op` comes first. */
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
  between: say("介于", "between"),
  before: say("早于", "before"),
  after: say("晚于", "after"),
  within_last_days: say("在最近", "in the last"),
  within_next_days: say("在未来", "in the next"),
  is_set: say("有值", "is known"),
  is_not_set: say("没有值", "is not known"),
  "number:=": say("等于", "equals"),
  "number:!=": say("不等于", "does not equal"),
  "choices:contains": say("包括", "includes"),
};

export function operatorLabel(op: string, type: FieldType): string {
  return OPERATORS[`${type}:${op}`] ?? OPERATORS[op] ?? op;
}

const PRESENCE = ["is_set", "is_not_set"];
/** What can be asked of an event's property, by the kind of value that stands in it. */
export const OF_PROPERTIES: Record<string, string[]> = {
  text: ["=", "!=", "in", "not_in", "contains", "starts_with", ...PRESENCE],
  number: ["=", "!=", ">", ">=", "<", "<=", "between", "in", "not_in", ...PRESENCE],
  boolean: ["=", ...PRESENCE],
  time: ["within_last_days", "within_next_days", "before", "after", "between", ...PRESENCE],
  sealed: PRESENCE,
};
/** What can be asked of the first and the last time of something. */
export const OF_TIMES = ["within_last_days", "before", "after", "between", ...PRESENCE];

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
      return listOf(kept, "string") ?? (typeof one === "string" && one ? [one] : []);
    case "numbers":
      return listOf(kept, "number") ?? (typeof one === "number" ? [one] : []);
    case "choiceList":
      return Array.isArray(kept) ? kept : [isChoice(field, one) ? one : first];
    case "pair":
      return listOf(kept, "number")?.length === 2 ? (kept as Json) : [numberOf(one), numberOf(one)];
    case "days":
      return Array.isArray(kept) && kept.length === 2 ? kept : [isDay(one) ? one : "", isDay(one) ? one : ""];
    case "day":
      return isDay(one) ? one : "";
    case "flag":
      return typeof one === "boolean" ? one : true;
    case "number":
      return numberOf(one);
    case "choice":
      return isChoice(field, one) ? one : first;
    default:
      return typeof one === "string" ? one : "";
  }
}

/** The body with another operator, its value made to fit; the other keys stay. */
export function withOperator(body: JsonObject, op: string, field: Field): JsonObject {
  const { value: kept, op: _op, ...rest } = body;
  const value = startValue(field, op, kept);
  return { ...rest, op, ...(value === undefined ? {} : { value }) };
}

/** The kind of value that stands in a comparison of a property nobody has described. */
export function typeSeen(body: JsonObject): FieldType {
  const one = Array.isArray(body.value) ? body.value[0] : body.value;
  if (["before", "after", "within_last_days", "within_next_days"].includes(String(body.op))) return "time";
  if (body.op === "between" && typeof one === "string") return "time";
  if (typeof one === "number" || [">", ">=", "<", "<=", "between"].includes(String(body.op))) return "number";
  return typeof one === "boolean" ? "boolean" : "text";
}

/** A property with the type its present value has, and the operators of every type it may have. */
export function propertyComparing(
  field: Field,
  body: JsonObject,
): { field: Field; operators: [FieldType, string[]][] } {
  const kinds = (field.kinds ?? [field.type]).filter((kind) => kind in OF_PROPERTIES);
  const possible: FieldType[] = kinds.length > 0 ? kinds : ["sealed"];
  // What holds times is asked as times, unless somebody asks otherwise.
  const open = body.op === undefined || PRESENCE.includes(String(body.op));
  const seen = open && possible[0] === "time" ? "time" : typeSeen(body);
  const type = possible.includes(seen) ? seen : (possible[0] ?? "sealed");
  return { field: { ...field, type }, operators: possible.map((kind) => [kind, OF_PROPERTIES[kind] ?? []]) };
}

function isChoice(field: Field, value: Json | undefined): value is string | number {
  return value !== undefined && field.choices.some((choice) => choice.value === value);
}

function listOf(value: Json | undefined, type: "string" | "number"): Json[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === type) ? value : undefined;
}

function numberOf(value: Json | undefined): number {
  return typeof value === "number" ? value : 0;
}

function isDay(value: Json | undefined): value is string {
  return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value);
}
