// Changing the theme without a reload. Without JavaScript the buttons send their form, and the server sets the cookie.
document.addEventListener("submit", (event) => {
  const theme = event.submitter?.value;
  if (!event.target.matches(".theme") || !theme) return;
  event.preventDefault();
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === theme);
});
