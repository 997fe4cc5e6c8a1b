/** Above the conditions: everyone or some, undo and redo; and the keys, as they are written on keyboards. */
import { html, type TemplateResult } from "lit";
import { say } from "../../words";
import { KEYS } from "../acts";

export interface Toolbar {
  everyone: boolean;
  choose: (everyone: boolean) => void;
  canUndo: boolean;
  canRedo: boolean;
  step: (way: "undo" | "redo") => void;
}

export function toolbarView(bar: Toolbar): TemplateResult {
  const step = (way: "undo" | "redo", name: string, keys: string, can: boolean) =>
    html`<button type="button" class="btn btn-small btn-quiet" ?disabled=${!can} title="${name} (${shownKeys(keys)})" @click=${() => bar.step(way)}>${name}</button>`;
  const who = (everyone: boolean, name: string) =>
    html`<button type="button" class="btn btn-small" aria-pressed=${bar.everyone === everyone} @click=${() => bar.choose(everyone)}>${name}</button>`;
  return html`<div class="ab-top">
    <span class="btn-group" role="group" aria-label=${say("谁", "Who")}>${who(true, say("所有联系人", "Everyone"))}${who(false, say("满足条件的人", "People who match"))}</span>
    <span class="end line">
      ${step("undo", say("撤销", "Undo"), "Ctrl z", bar.canUndo)}${step("redo", say("重做", "Redo"), "Ctrl Shift z", bar.canRedo)}
      <button type="button" class="btn btn-small btn-quiet wide-only" data-open-shortcuts>${say("快捷键", "Keys")}</button>
    </span>
  </div>`;
}

/** For the sheet of shortcuts. */
export function shortcutRows(): [string, string][] {
  const on = say("条件的把手上：", "On a condition's handle: ");
  return [
    [shownKeys("Ctrl z"), say("撤销受众的改动", "Undo a change of the audience")],
    [shownKeys("Ctrl Shift z"), say("重做", "Redo")],
    ["↑ ↓", on + say("上一个、下一个条件", "previous and next condition")],
    ...KEYS.map(({ keys, text }): [string, string] => [shownKeys(keys), on + text]),
    [shownKeys("Ctrl v"), on + say("粘贴到下面（条件、JSON 或文字写法）", "paste below (a condition, JSON or text)")],
  ];
}

const MAC = navigator.userAgent.includes("Mac");

export function shownKeys(keys: string): string {
  const signs: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", Alt: MAC ? "⌥" : "Alt", Ctrl: MAC ? "⌘" : "Ctrl" };
  return keys
    .split(" ")
    .map((key) => signs[key] ?? key.replace("Key", "").toUpperCase().replace("DELETE", "Delete").replace("SHIFT", "Shift"))
    .join(" ");
}
