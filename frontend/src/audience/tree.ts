/**
 * The segment tree as the builder holds it while it is edited: groups and conditions with identities, possibly unfinished.
 * The JSON of docs/segments.md goes in and out; what the builder cannot show as fields (conditions on the properties of an
 * event) is kept as it came.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type Head = "field" | "tag" | "tag_group" | "list" | "consent" | "audience" | "event";

export interface Condition {
  id: number;
  kind: "condition";
  not: boolean;
  head: Head;
  /** The keys of the condition besides `not`, as in the JSON. */
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

const HEADS: Head[] = ["field", "tag", "tag_group", "list", "consent", "audience", "event"];
let last = 0;

function fresh(): number {
  last += 1;
  return last;
}

export function emptyGroup(mode: "all" | "any" = "all"): Group {
  return { id: fresh(), kind: "group", not: false, mode, items: [] };
}

export function condition(head: Head, body: JsonObject): Condition {
  return { id: fresh(), kind: "condition", not: false, head, body };
}

/** Throws when the JSON is no segment tree. */
export function read(tree: Json): State {
  if (tree === null) return { everyone: false, root: emptyGroup() };
  if (isObject(tree) && tree.everyone === true) return { everyone: true, root: emptyGroup() };
  const item = readItem(tree);
  return { everyone: false, root: item.kind === "group" ? item : wrapped(item) };
}

function readItem(tree: Json): Item {
  if (!isObject(tree)) throw new Error("not a condition");
  if ("not" in tree) return negated(readItem(tree.not ?? null));
  for (const mode of ["all", "any"] as const) {
    const items = tree[mode];
    if (Array.isArray(items)) return { ...emptyGroup(mode), items: items.map(readItem) };
  }
  const head = HEADS.find((name) => name in tree);
  if (head) return condition(head, { ...tree });
  throw new Error("unknown condition");
}

function negated(item: Item): Item {
  if (!item.not) return { ...item, not: true };
  return { ...wrapped(item), not: true };
}

function wrapped(item: Item): Group {
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
  return { tree: writeItem(only ?? state.root, "", paths), paths };
}

function writeItem(item: Item, path: string, paths: Map<number, string>): Json {
  paths.set(item.id, path);
  const at = item.not ? `${path}/not` : path;
  const plain: JsonObject =
    item.kind === "condition"
      ? { ...item.body }
      : { [item.mode]: item.items.map((child, index) => writeItem(child, `${at}/${item.mode}/${index}`, paths)) };
  return item.not ? { not: plain } : plain;
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

export function find(group: Group, id: number): Item | undefined {
  if (group.id === id) return group;
  for (const item of group.items) {
    const found = item.kind === "group" ? find(item, id) : item.id === id ? item : undefined;
    if (found) return found;
  }
  return undefined;
}

/** A copy in which the item is changed; the rest is shared. */
export function changed(group: Group, id: number, change: (item: Item) => Item): Group {
  if (group.id === id) {
    const made = change(group);
    return made.kind === "group" ? made : wrapped(made);
  }
  return {
    ...group,
    items: group.items.map((item) =>
      item.id === id ? change(item) : item.kind === "group" ? changed(item, id, change) : item,
    ),
  };
}

export function added(group: Group, into: number, item: Item): Group {
  return changed(group, into, (target) =>
    target.kind === "group" ? { ...target, items: [...target.items, item] } : target,
  );
}

/** Without the item; groups that become empty go with it, except the root. */
export function removed(group: Group, id: number): Group {
  const items = group.items
    .filter((item) => item.id !== id)
    .map((item) => (item.kind === "group" ? removed(item, id) : item))
    .filter((item) => item.kind === "condition" || item.items.length > 0);
  return { ...group, items };
}

/** The item one place up or down among its neighbours. */
export function moved(group: Group, id: number, by: -1 | 1): Group {
  const from = group.items.findIndex((item) => item.id === id);
  if (from < 0)
    return { ...group, items: group.items.map((item) => (item.kind === "group" ? moved(item, id, by) : item)) };
  const to = from + by;
  if (to < 0 || to >= group.items.length) return group;
  const items = [...group.items];
  const [taken] = items.splice(from, 1);
  if (taken) items.splice(to, 0, taken);
  return { ...group, items };
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** States one can go back to. */
export class History<T> {
  #past: T[] = [];
  #future: T[] = [];

  constructor(private present: T) {}

  get now(): T {
    return this.present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  push(next: T): void {
    this.#past.push(this.present);
    if (this.#past.length > 200) this.#past.shift();
    this.#future = [];
    this.present = next;
  }

  /** The present changes without a step of its own: typing on in the same field. */
  replace(next: T): void {
    this.#future = [];
    this.present = next;
  }

  undo(): T {
    const before = this.#past.pop();
    if (before !== undefined) {
      this.#future.push(this.present);
      this.present = before;
    }
    return this.present;
  }

  redo(): T {
    const after = this.#future.pop();
    if (after !== undefined) {
      this.#past.push(this.present);
      this.present = after;
    }
    return this.present;
  }
}
