/** Nothing chosen yet: what others begin with, ready to be taken and changed. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import type { Example } from "../vocabulary";

const SHOWN = 6; // the rest on demand: choices that fit a glance

export function emptyView(examples: Example[], take: (example: Example) => void): TemplateResult | typeof nothing {
  if (examples.length === 0) return nothing;
  const cards = (some: Example[]) =>
    html`<ul>${some.map(
      (example) => html`<li><button type="button" class="ab-example" @click=${() => take(example)}><b>${example.name}</b><span class="muted small">${example.about}</span></button></li>`,
    )}</ul>`;
  const rest = examples.slice(SHOWN);
  return html`<section class="ab-examples" aria-label=${say("从现成的开始", "Begin with a ready one")}>
    <h3>${say("或者从现成的开始，再改成您要的", "Or begin with a ready one and change it")}</h3>
    ${cards(examples.slice(0, SHOWN))}
    ${rest.length > 0 ? html`<details><summary>${say(`还有 ${rest.length} 个`, `${rest.length} more`)}</summary>${cards(rest)}</details>` : nothing}
  </section>`;
}
