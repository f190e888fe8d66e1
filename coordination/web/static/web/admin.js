// A search field that select2 puts in the place of a choice is called as the choice is: by itself it says only what is
// chosen. Such fields come when the page is ready, and with each row that is added to it.
const named = new WeakSet();
new MutationObserver(() => {
  for (const field of document.querySelectorAll(".select2-selection[role=combobox]")) {
    const choice = field.closest(".select2-container").previousElementSibling;
    const label = choice?.labels?.[0];
    if (!label || named.has(field)) continue;
    named.add(field);
    label.id ||= `label-of-${choice.id}`;
    field.setAttribute("aria-labelledby", `${label.id} ${field.getAttribute("aria-labelledby") ?? ""}`);
    field.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
