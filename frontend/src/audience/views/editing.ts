/** What the inputs of a condition need from the builder around them. */
import type { Ask } from "../../elements/hy-audience-value";
import type { Problem } from "../asking";
import type { JsonObject } from "../tree";
import type { Field, Vocabulary } from "../vocabulary";

/** Where real values come from: a field of contacts, a property of an event, a field of an object. */
export type Source = { field: string } | { event: string; property: string } | { object: string; field: string };

export interface Editing {
  words: Vocabulary;
  /** JSON pointer of the condition; inputs within add to it. */
  path: string;
  problems: Problem[];
  /** The condition is turned around; kinds that can say so in their own words do, and turn it by `turn`. */
  not: boolean;
  turn: () => void;
  /** `typing` changes merge into one step of undo. */
  change: (body: JsonObject, typing?: boolean) => void;
  values: (source: Source) => Ask;
  /** The properties of an event; null when nothing is known of them. */
  properties: (event: string) => Field[] | null;
}

export function isWrong(editing: Editing, path: string): boolean {
  return editing.problems.some((problem) => problem.path === path || problem.path.startsWith(`${path}/`));
}

export function messageAt(editing: Editing, path: string): string {
  return editing.problems.find((problem) => problem.path === path || problem.path.startsWith(`${path}/`))?.message ?? "";
}
