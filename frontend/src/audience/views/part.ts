/** Groups and conditions as cards: handle, inputs, what it does to the count, menu. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import { type Act, KEYS } from "../acts";
import { type Problem, unfinished } from "../asking";
import type { Effect } from "../effect";
import { type Condition, type Group, type Head, type Item, type Json, placeOf } from "../tree";
import { beginnings, type Vocabulary } from "../vocabulary";
import { conditionView } from "./condition";
import type { Editing } from "./editing";
import { effectView } from "./effects";
import { choose } from "./inputs";
import { shownKeys } from "./toolbar";

/** What the cards need from the builder. */
export interface Building {
  words: Vocabulary;
  paths: Map<number, string>;
  problems: Problem[];
  effects: Map<number, Effect>;
  editing: (item: Condition) => Editing;
  change: (id: number, change: (item: Item) => Item) => void;
  act: (id: number, act: Act) => void;
  replace: (id: number, tree: Json) => void;
  /** Into the group: a condition beginning with this, or a group. */
  add: (group: number, beginning: string) => void;
}

const MODES = [
  { value: "all", label: say("满足以下全部", "all of these") },
  { value: "any", label: say("满足以下任一", "any of these") },
  { value: "not-any", label: say("以下一个也不满足", "none of these") },
  { value: "not-all", label: say("以下不全满足", "not all of these") },
];

export function groupView(group: Group, building: Building, root = false): TemplateResult {
  const joined = group.mode === "all" ? say("且", "and") : say("或", "or");
  const mode = `${group.not ? "not-" : ""}${group.mode}`;
  const setMode = (value: string) =>
    building.change(group.id, (item) =>
      item.kind === "group"
        ? { ...item, mode: value.endsWith("any") ? "any" : "all", not: value.startsWith("not-") }
        : item,
    );
  const own = building.paths.has(group.id) ? [building.paths.get(group.id), placeOf(group, building.paths), `${placeOf(group, building.paths)}/${group.mode}`] : [];
  const message = building.problems.find((problem) => own.includes(problem.path))?.message ?? "";
  return html`<fieldset class="ab-group ${root ? "ab-root" : ""}" data-item=${group.id}>
    <legend class="visually-hidden">${MODES.find((item) => item.value === mode)?.label}</legend>
    <div class="ab-group-head">
      ${root ? nothing : handle(group)}
      ${root ? html`<span class="ab-lead">${say("联系人", "Contacts who match")}</span>` : nothing}
      ${choose(say("如何组合", "How to combine"), MODES, mode, setMode)}
      ${root ? nothing : html`${effectView(building.effects.get(group.id), group.mode)}${menu(group, building)}`}
    </div>
    <ol class="ab-items">${group.items.map(
      (item, index) => html`<li class="ab-item" data-into=${group.id} data-index=${index}>
        ${index ? html`<span class="ab-joined" aria-hidden="true">${joined}</span>` : nothing}
        ${item.kind === "group" ? groupView(item, building) : cardView(item, building, group.mode)}</li>`,
    )}</ol>
    ${message ? html`<p class="ab-wrong" role="alert">${message}</p>` : nothing}
    <div class="ab-add-row" data-into=${group.id} data-index=${group.items.length}>
      <hy-audience-picker class="ab-adder" .options=${beginnings(building.words)} .label=${say("添加条件", "Add a condition")} .value=${""}
        .say=${say("＋ 添加条件", "+ Add a condition")} @pick=${(event: CustomEvent<{ value: string }>) => building.add(group.id, event.detail.value)}></hy-audience-picker>
      <button type="button" class="btn btn-small btn-quiet" @click=${() => building.add(group.id, "group")}>${say("＋ 添加一组", "+ Add a group")}</button>
    </div>
  </fieldset>`;
}

/** Kinds whose own words say that they are turned around. */
const SAY_NOT = new Set<Head>(["tag", "tag_group", "list", "audience", "consent", "sequence"]);

function cardView(item: Condition, building: Building, mode: "all" | "any"): TemplateResult {
  const editing = building.editing(item);
  const message = ownMessage(editing);
  const state = editing.problems.length === 0 ? "" : unfinished(editing.problems) ? "ab-row-wrong ab-row-open" : "ab-row-wrong";
  const toggle = say("取反：现在是不满足这个条件的人，点按改回", "Turned around: people for whom this does not hold. Press to turn it back");
  return html`<div class="ab-row ${state}" data-item=${item.id} role="group" aria-label=${say("条件", "Condition")}>
    ${handle(item)}
    ${
      item.not && !SAY_NOT.has(item.head)
        ? html`<button type="button" class="ab-not" aria-pressed="true" title=${toggle} @click=${() => building.act(item.id, "negate")}>${say("非", "not")}</button>`
        : nothing
    }
    <div class="ab-fields">${conditionView(item, editing, (tree) => building.replace(item.id, tree))}
      ${message ? html`<p class="ab-wrong" role="alert">${message}</p>` : nothing}</div>
    ${effectView(building.effects.get(item.id), mode)}
    ${menu(item, building)}
  </div>`;
}

/** What no filter and no step inside says at its own place. */
function ownMessage(editing: Editing): string {
  const own = editing.problems.find(({ path }) => {
    const rest = path.slice(editing.path.length);
    return !rest.startsWith("/where/") && rest !== "/where" && !/^\/sequence\/\d/.test(rest);
  });
  return own?.message ?? "";
}

function handle(item: Item): TemplateResult {
  const name =
    item.kind === "group"
      ? say("这一组：拖动，或按 Alt+↑↓ 移动", "This group: drag it, or move it with Alt+↑↓")
      : say("这个条件：拖动，或按 Alt+↑↓ 移动", "This condition: drag it, or move it with Alt+↑↓");
  return html`<button type="button" class="ab-grip" draggable="true" data-grip=${item.id} aria-label=${name} title=${name}>⠿</button>`;
}

function menu(item: Item, building: Building): TemplateResult {
  const shown = [...KEYS.filter(({ act }) => act !== "remove"), PASTE, ...KEYS.filter(({ act }) => act === "remove")];
  const acts = shown.filter(({ act }) => act !== "unwrap" || (item.kind === "group" && !item.not));
  return html`<details class="menu ab-menu"><summary class="btn btn-icon btn-small btn-quiet" aria-label=${say("更多操作", "More")}>⋯</summary>
    <div class="menu-panel">${acts.map(
      ({ act, keys, text }) => html`<button type="button" class="menu-item ${act === "remove" ? "menu-item-danger" : ""}" @click=${(event: Event) => {
        (event.currentTarget as Element).closest("details")?.removeAttribute("open");
        building.act(item.id, act);
      }}>${text}<kbd class="wide-only">${shownKeys(keys)}</kbd></button>`,
    )}</div></details>`;
}

/** The key is the browser's own paste; the menu is for hands. */
const PASTE = { keys: "Ctrl v", act: "paste" as Act, text: say("粘贴到下面", "Paste below") };
