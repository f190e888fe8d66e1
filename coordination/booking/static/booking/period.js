// Draws the free time of a telescope, and what is in the way, while a period is typed; the period can be dragged.
// Without this script the form works all the same: the picture is that of the values it came with.
(function () {
  "use strict";
  document.addEventListener("DOMContentLoaded", function () {
    const aside = document.querySelector("[data-timeline]");
    if (!aside) return;
    const form = aside.closest("form");
    const field = (name) => form.elements.namedItem(name);
    const two = (number) => String(number).padStart(2, "0");
    let asked = 0, waiting = 0, drag = null;

    function instant(name) {
      const date = field(name + "_0").value.trim(), time = field(name + "_1").value.trim();
      const found = /^\d{4}-\d\d-\d\d$/.test(date) && /^\d\d?:\d\d(:\d\d)?$/.test(time);
      const value = found ? Date.parse(date + "T" + time.padStart(time.length < 6 ? 5 : 8, "0") + "Z") : NaN;
      return Number.isNaN(value) ? null : new Date(value);
    }
    function write(name, value) {
      field(name + "_0").value = value.toISOString().slice(0, 10);
      field(name + "_1").value = two(value.getUTCHours()) + ":" + two(value.getUTCMinutes()) + ":" + two(value.getUTCSeconds());
    }
    async function draw() {
      const given = new URLSearchParams();
      for (const name of ["telescope", "target"]) if (field(name) && field(name).value) given.set(name, field(name).value);
      for (const name of ["observe_from", "observe_until"]) {
        const value = instant(name);
        if (value) given.set(name, value.toISOString());
      }
      if (aside.dataset.besides) given.set("besides", aside.dataset.besides);
      if (aside.clientWidth < 480) given.set("narrow", "1");
      const mine = ++asked;
      try {
        const answer = await fetch(aside.dataset.timeline + "?" + given, { headers: { Accept: "text/html" }, credentials: "same-origin" });
        const html = answer.ok && !answer.redirected ? await answer.text() : "";
        if (mine === asked && html) aside.innerHTML = html;
      } catch (error) { /* offline: what was drawn last stays */ }
    }
    function soon() { clearTimeout(waiting); waiting = setTimeout(draw, 150); }

    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    form.addEventListener("focusout", soon); // shortcuts beside the fields write values without an event
    if (window.django && window.django.jQuery) window.django.jQuery(form).on("change", "select", soon);

    // Pixels of the drawing to time: its frame, and when it begins and ends.
    function scale() {
      const svg = aside.querySelector("svg"), frame = svg && svg.querySelector("rect.frame"), box = aside.querySelector(".desk-drawing");
      if (!frame || !box) return null;
      const width = frame.getBoundingClientRect().width;
      return (Date.parse(box.dataset.end) - Date.parse(box.dataset.start)) / width;
    }
    aside.addEventListener("pointerdown", function (event) {
      const period = event.target.closest(".chosen, .conflict"), from = instant("observe_from"), until = instant("observe_until"), msPerPixel = scale();
      if (!period || !from || !until || !msPerPixel) return;
      drag = { x: event.clientX, from: from, until: until, msPerPixel: msPerPixel };
      document.body.classList.add("desk-dragging");
      event.preventDefault();
    });
    document.addEventListener("pointermove", function (event) {
      if (!drag) return;
      const moved = Math.round(((event.clientX - drag.x) * drag.msPerPixel) / 60000) * 60000;
      write("observe_from", new Date(drag.from.getTime() + moved));
      write("observe_until", new Date(drag.until.getTime() + moved));
      soon();
    });
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, function () {
      if (!drag) return;
      drag = null;
      document.body.classList.remove("desk-dragging");
      draw();
    });
    draw();
  });
})();
