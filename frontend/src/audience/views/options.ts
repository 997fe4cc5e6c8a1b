/** A list of named things under a field, grouped, one of them under the cursor. */
import { html, nothing, type TemplateResult } from "lit";
import type { Named } from "../vocabulary";

export function optionId(list: string, index: number): string {
  return `${list}-${index}`;
}

export function optionsView(
  list: string,
  name: string,
  options: Named[],
  at: number,
  chosen: string,
  pick: (option: Named) => void,
): TemplateResult {
  let group = "";
  return html`<div class="ab-options" role="listbox" id=${list} aria-label=${name}>${options.map((option, index) => {
    const head = (option.group ?? "") === group ? "" : (option.group ?? "");
    group = option.group ?? "";
    return html`${head ? html`<div class="ab-options-head" role="presentation">${head}</div>` : nothing}
      <div role="option" class="ab-option ${index === at ? "ab-option-at" : ""}" id=${optionId(list, index)}
        aria-selected=${option.value === chosen} @mousedown=${(event: Event) => event.preventDefault()}
        @click=${() => pick(option)}><span>${option.label}</span>${option.note ? html`<span class="muted small num">${option.note}</span>` : nothing}</div>`;
  })}</div>`;
}

/** Keeps the option under the cursor in sight. */
export function showOption(root: ParentNode): void {
  root.querySelector(".ab-option-at")?.scrollIntoView({ block: "nearest" });
}
