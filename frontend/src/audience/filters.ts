/** The `where` of an event, a step or an object: a small tree of JSON, changed by the place of its parts. */
import { isObject, type Json, type JsonObject } from "./tree";

export interface FilterGroup {
  mode: "all" | "any";
  items: Json[];
}

/** The part without its negation, and where that stands. */
export function bare(part: Json, path: string): { part: Json; path: string; not: boolean } {
  if (isObject(part) && "not" in part) return { part: part.not ?? null, path: `${path}/not`, not: true };
  return { part, path, not: false };
}

export function groupOf(part: Json): FilterGroup | undefined {
  if (!isObject(part)) return undefined;
  for (const mode of ["all", "any"] as const) {
    const items = part[mode];
    if (Array.isArray(items)) return { mode, items };
  }
  return undefined;
}

export function isFilter(part: Json): part is JsonObject {
  return isObject(part) && "property" in part;
}

/** With one more filter at the end. */
export function withFilter(where: Json | undefined, filter: Json): Json {
  if (where === undefined || where === null) return filter;
  const { part, not } = bare(where, "");
  const group = groupOf(part);
  if (group && !not) return { [group.mode]: [...group.items, filter] };
  return { all: [where, filter] };
}

/** Another part in place of the nth; without one, a group of one becomes its member and an empty one goes. */
export function withMember(group: FilterGroup, index: number, part: Json | undefined): Json | undefined {
  const items = group.items.flatMap((old, at) => (at === index ? (part === undefined ? [] : [part]) : [old]));
  if (items.length === 0) return undefined;
  return items.length === 1 && part === undefined ? (items[0] ?? null) : { [group.mode]: items };
}

export function turned(part: Json): Json {
  return isObject(part) && "not" in part ? (part.not ?? null) : { not: part };
}

/** The body with its filters, or without the key when there are none. */
export function withWhere(body: JsonObject, where: Json | undefined): JsonObject {
  const { where: _where, ...rest } = body;
  return where === undefined ? rest : { ...rest, where };
}
