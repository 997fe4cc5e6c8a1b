/**
 * The tree of an audience while it is edited: groups and conditions with identities, possibly unfinished. The JSON of
 * docs/segments.md goes in and out. What the builder does not know stays as it came, as an "unknown" part with its place.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const HEADS = [
  "field",
  "tag",
  "tag_group",
  "list",
  "consent",
  "audience",
  "event",
  "sequence",
  "object",
  "everyone",
] as const;
export type Head = (typeof HEADS)[number] | "unknown";

export interface Condition {
  id: number;
  kind: "condition";
  not: boolean;
  head: Head;
  /** The keys of the condition besides `not`, as in the JSON; of an unknown part `{raw: …}`. */
  body: JsonObject;
}

export interface Group {
  id: number;
  kind: "group";
  not: boolean;
  mode: "all" | "any";
  items: Item[];
}

export type Item = Condition | Group;

export interface State {
  everyone: boolean;
  root: Group;
}

let last = 0;

export function fresh(): number {
  last += 1;
  return last;
}

export function emptyGroup(mode: "all" | "any" = "all"): Group {
  return { id: fresh(), kind: "group", not: false, mode, items: [] };
}

export function condition(head: Head, body: JsonObject): Condition {
  return { id: fresh(), kind: "condition", not: false, head, body };
}

/** Never throws: what is no segment tree becomes a part one can see, mend or remove. */
export function read(tree: Json): State {
  if (tree === null) return { everyone: false, root: emptyGroup() };
  if (isObject(tree) && tree.everyone === true && keysOf(tree) === 1) return { everyone: true, root: emptyGroup() };
  const item = readItem(tree);
  return { everyone: false, root: item.kind === "group" ? item : wrapped(item) };
}

export function readItem(tree: Json): Item {
  if (!isObject(tree)) return unknown(tree);
  const heads = Object.keys(tree).filter(
    (key) => key === "not" || key === "all" || key === "any" || (HEADS as readonly string[]).includes(key),
  );
  const [head] = heads;
  if (heads.length !== 1 || !head) return unknown(tree);
  const alone = keysOf(tree) === 1;
  if (head === "not") return alone ? negated(readItem(tree.not ?? null)) : unknown(tree);
  if (head === "all" || head === "any") {
    const items = tree[head];
    if (!alone || !Array.isArray(items)) return unknown(tree);
    return { ...emptyGroup(head), items: items.map(readItem) };
  }
  return condition(head as Head, { ...tree });
}

function unknown(raw: Json): Condition {
  return condition("unknown", { raw });
}

function negated(item: Item): Item {
  if (!item.not) return { ...item, not: true };
  return { ...wrapped(item), not: true };
}

export function wrapped(item: Item): Group {
  return { ...emptyGroup(), items: [item] };
}

/** The JSON, and where each part stands in it (JSON pointer by id). */
export interface Written {
  tree: Json;
  paths: Map<number, string>;
}

export function write(state: State): Written {
  const paths = new Map<number, string>();
  if (state.everyone) return { tree: { everyone: true }, paths };
  if (state.root.items.length === 0) return { tree: null, paths };
  const only = state.root.items.length === 1 && !state.root.not ? state.root.items[0] : undefined;
  return { tree: writeInto(only ?? state.root, "", paths), paths };
}

/** One part by itself, as it is copied. */
export function writeItem(item: Item): Json {
  return writeInto(item, "", new Map());
}

function writeInto(item: Item, path: string, paths: Map<number, string>): Json {
  paths.set(item.id, path);
  const at = item.not ? `${path}/not` : path;
  const plain = item.kind === "condition" ? written(item) : writtenGroup(item, at, paths);
  return item.not ? { not: plain } : plain;
}

function written(item: Condition): Json {
  return item.head === "unknown" ? (item.body.raw ?? null) : { ...item.body };
}

function writtenGroup(group: Group, at: string, paths: Map<number, string>): JsonObject {
  return { [group.mode]: group.items.map((child, index) => writeInto(child, `${at}/${group.mode}/${index}`, paths)) };
}

/** Where the condition itself stands, within its negation. */
export function placeOf(item: Item, paths: Map<number, string>): string {
  const path = paths.get(item.id) ?? "";
  return item.not ? `${path}/not` : path;
}

/** The item a problem's path points at: the deepest one whose path begins it. */
export function itemAt(paths: Map<number, string>, path: string): number | undefined {
  let found: number | undefined;
  let length = -1;
  for (const [id, at] of paths)
    if ((path === at || path.startsWith(`${at}/`)) && at.length > length) {
      found = id;
      length = at.length;
    }
  return found;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf(value: JsonObject): number {
  return Object.keys(value).length;
}
