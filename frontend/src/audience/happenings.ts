/** What is asked of events: measures, windows and the steps of a sequence. Bodies in, bodies out. */
import { OF_TIMES } from "./comparisons";
import { isObject, type Json, type JsonObject } from "./tree";

// ——— windows

export type WindowMode = "last" | "dates" | "ago" | "ever";
const WINDOW_KEYS = ["within_days", "within_hours", "from", "to", "days_ago"];

export function windowMode(body: JsonObject): WindowMode {
  if ("within_days" in body || "within_hours" in body) return "last";
  if ("days_ago" in body) return "ago";
  return "from" in body || "to" in body ? "dates" : "ever";
}

export function withoutWindow(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !WINDOW_KEYS.includes(key)));
}

export function withWindow(body: JsonObject, mode: WindowMode, today: string): JsonObject {
  const rest = withoutWindow(body);
  switch (mode) {
    case "last":
      return { ...rest, within_days: 90 };
    case "dates":
      return { ...rest, from: today, to: today };
    case "ago":
      return { ...rest, days_ago: [90, 30] };
    default:
      return rest;
  }
}

/** One end of a range of dates; an empty one is left open. */
export function withDate(body: JsonObject, end: "from" | "to", day: string): JsonObject {
  const { from, to, ...rest } = withDates(body);
  const next = { from, to, [end]: day };
  // Both ends empty would quietly mean "ever": the emptied one stays, and is complained of.
  if (!next.from && !next.to) return { ...rest, [end]: "" };
  return { ...rest, ...(next.from ? { from: next.from } : {}), ...(next.to ? { to: next.to } : {}) };
}

function withDates(body: JsonObject): JsonObject {
  return { ...body };
}

// ——— measures

export const COUNT_OPS = [">=", "<=", "=", ">", "<", "!="];
export const MEASURES = ["sum", "average", "min", "max", "first", "last", "first_at", "last_at"] as const;

/** How the part asks: "count:>=", "never" or the name of a measure. */
export function howOf(body: JsonObject): string {
  const measure = String(body.measure ?? "count");
  if (measure !== "count") return measure;
  const op = String(body.op ?? ">=");
  return op === "=" && body.count === 0 ? "never" : `count:${op}`;
}

export function asksTime(how: string): boolean {
  return how === "first_at" || how === "last_at";
}

export function asksProperty(how: string): boolean {
  return (MEASURES as readonly string[]).includes(how) && !asksTime(how);
}

/** The part asking in another way; window and filters stay. `numbers`: a property that holds numbers, if one is known. */
export function withHow(body: JsonObject, how: string, numbers = ""): JsonObject {
  const { measure: _measure, op: _op, count, value, property, ...rest } = body;
  if (how === "never") return { ...rest, op: "=", count: 0 };
  if (how.startsWith("count:")) {
    const kept = typeof count === "number" && count > 0 ? count : 1;
    return { ...rest, op: how.slice(6), count: kept };
  }
  if (asksTime(how)) {
    const fits = OF_TIMES.includes(String(body.op)) && asksTime(String(body.measure));
    return { ...rest, measure: how, ...(fits ? kept(body) : { op: "within_last_days", value: 30 }) };
  }
  const before = typeof property === "string" ? property : numbers;
  const same = asksProperty(String(body.measure)) && (how === "first" || how === "last" || typeof value === "number");
  return { ...rest, measure: how, property: before, ...(same ? kept(body) : { op: ">=", value: 0 }) };
}

function kept(body: JsonObject): JsonObject {
  return { op: body.op ?? ">=", ...(body.value === undefined ? {} : { value: body.value }) };
}

// ——— sequences

export const MAX_STEPS = 5;

export function stepsOf(body: JsonObject): JsonObject[] {
  return Array.isArray(body.sequence) ? body.sequence.map((step) => (isObject(step) ? step : {})) : [];
}

export function withStep(body: JsonObject, index: number, step: JsonObject): JsonObject {
  return { ...body, sequence: stepsOf(body).map((old, at) => (at === index ? step : old)) };
}

/** Only the last step may say "did not", so a new one goes before it. */
export function withNewStep(body: JsonObject, event: string, absent: boolean): JsonObject {
  const steps = stepsOf(body);
  const step: JsonObject = absent
    ? { not_event: event, within: { days: 1 } }
    : { event, within: { days: 7 } };
  const end = endsAbsent(body) ? steps.length - 1 : steps.length;
  return { ...body, sequence: [...steps.slice(0, end), step, ...steps.slice(end)] };
}

export function endsAbsent(body: JsonObject): boolean {
  return "not_event" in (stepsOf(body).at(-1) ?? {});
}

export function withoutStep(body: JsonObject, index: number): JsonObject {
  const left = stepsOf(body).filter((_step, at) => at !== index);
  return { ...body, sequence: left.map((step, at) => (at === 0 ? withoutWithin(step) : step)) };
}

/** Two steps change places; the first one has nothing before it and loses its limit. */
export function withStepMoved(body: JsonObject, index: number, by: -1 | 1): JsonObject {
  const steps = stepsOf(body);
  const one = steps[index];
  const other = steps[index + by];
  if (!one || !other || "not_event" in one || "not_event" in other) return body;
  const next = [...steps];
  const limits = [one.within, other.within];
  next[index] = withLimit(other, limits[0]);
  next[index + by] = withLimit(one, limits[1]);
  return { ...body, sequence: next };
}

function withLimit(step: JsonObject, within: Json | undefined): JsonObject {
  const rest = withoutWithin(step);
  return within === undefined ? rest : { ...rest, within };
}

function withoutWithin(step: JsonObject): JsonObject {
  const { within: _within, ...rest } = step;
  return rest;
}

export const UNITS = ["minutes", "hours", "days"] as const;

export function spanOf(within: Json | undefined): { n: Json; unit: string } | undefined {
  if (!isObject(within)) return undefined;
  const unit = UNITS.find((name) => name in within) ?? "days";
  return { n: within[unit] ?? null, unit };
}
