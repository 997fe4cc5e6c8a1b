/**
 * Asks before the form inside a <dialog> is sent; with data-type the person types that word first.
 *
 *   <hy-confirm data-type="48201">
 *     <button class="btn btn-danger" type="button" data-open>Send…</button>
 *     <dialog>
 *       <form method="post" action="…">
 *         <div class="dialog-body"><h2>Send to 48,201 people</h2><p>…</p>
 *           <label class="field"><span class="field-label">Type 48201 to confirm</span><input data-typed autocomplete="off"></label></div>
 *         <div class="dialog-actions"><button class="btn" type="button" data-close>Keep</button>
 *           <button class="btn btn-danger-solid" data-go>Send to 48,201 people</button></div>
 *       </form>
 *     </dialog>
 *   </hy-confirm>
 */
class HyConfirm extends HTMLElement {
  connectedCallback(): void {
    const dialog = this.querySelector("dialog");
    if (!dialog) return;
    this.querySelector("[data-open]")?.addEventListener("click", () => dialog.showModal());
    for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // the backdrop
    });
    this.#labelDialog(dialog);
    this.#watchTyping(dialog);
  }

  #labelDialog(dialog: HTMLDialogElement): void {
    const heading = dialog.querySelector("h2");
    if (!heading || dialog.hasAttribute("aria-labelledby")) return;
    heading.id ||= `confirm-${Math.random().toString(36).slice(2)}`;
    dialog.setAttribute("aria-labelledby", heading.id);
  }

  #watchTyping(dialog: HTMLDialogElement): void {
    const wanted = this.dataset.type;
    const typed = dialog.querySelector<HTMLInputElement>("[data-typed]");
    const go = dialog.querySelector<HTMLButtonElement>("[data-go]");
    if (!wanted || !typed || !go) return;
    const judge = () => {
      go.disabled = plain(typed.value) !== plain(wanted);
    };
    typed.addEventListener("input", judge);
    dialog.addEventListener("close", () => {
      typed.value = "";
      judge();
    });
    judge();
  }
}

/** 48,201 and 48201 are the same; so are spaces around and letter case. */
export function plain(text: string): string {
  return text.normalize("NFKC").replace(/[\s,]/g, "").toLowerCase();
}

if (!customElements.get("hy-confirm")) customElements.define("hy-confirm", HyConfirm);
