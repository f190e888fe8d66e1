// Bookings of the calendar are moved by pointer and keys: over the bar of each that may be moved lies a button. What is
// dropped is sent to the form that moves bookings, which decides; Enter opens it with the new time. Without this script
// the form is reached by the buttons of the list.
(function () {
  "use strict";
  document.addEventListener("DOMContentLoaded", function () {
    const calendar = document.querySelector(".desk-movable"), said = document.getElementById("moving");
    if (!calendar) return;
    const start = Date.parse(calendar.dataset.start), end = Date.parse(calendar.dataset.end);
    const step = Number(calendar.dataset.stepMinutes) * 60000;
    const two = (number) => String(number).padStart(2, "0");
    const date = (at) => at.toISOString().slice(0, 10);
    const time = (at) => two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()) + ":" + two(at.getUTCSeconds());

    function say(text, ...further) {
      said.className = further.length ? "desk-verdict bad" : "";
      said.replaceChildren(text, ...further);
    }

    function movable(row, drawing) {
      const svg = drawing.querySelector("svg"), bar = svg.querySelector('[data-name="booking-' + row.dataset.booking + '"]');
      const frame = svg.querySelector("rect.frame");
      if (!bar || !frame) return;
      const box = svg.viewBox.baseVal, width = Number(frame.getAttribute("width")), handle = document.createElement("button");
      const at = (name) => Number(bar.getAttribute(name));
      let moved = 0, drag = null, dragged = false;

      const from = () => new Date(Date.parse(row.dataset.from) + moved);
      const until = () => new Date(Date.parse(row.dataset.until) + moved);
      const period = () => date(from()) + " " + time(from()).slice(0, 5) + " to " + time(until()).slice(0, 5) + " UTC";

      function show() {
        const shift = (moved / (end - start)) * width;
        bar.setAttribute("transform", "translate(" + shift + " 0)");
        handle.style.left = (100 * (at("x") + shift)) / box.width + "%";
        handle.setAttribute("aria-label", row.dataset.label + ", " + period());
      }
      function put(milliseconds) {
        if (milliseconds === moved) return;
        moved = milliseconds;
        show();
        say(row.dataset.label + ": " + period() + (moved ? ", not moved yet." : ", where it was."));
      }
      function back() { moved = 0; show(); }

      async function drop() {
        const given = new URLSearchParams({ telescope: row.dataset.telescope });
        given.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
        for (const [name, value] of [["observe_from", from()], ["observe_until", until()]]) {
          given.set(name + "_0", date(value));
          given.set(name + "_1", time(value));
        }
        const wanted = row.dataset.label + ": " + period();
        say(wanted + ", asking …");
        try {
          const answer = await fetch(row.dataset.move, { method: "POST", body: given, redirect: "manual", credentials: "same-origin" });
          if (answer.type === "opaqueredirect") { // it is moved; or the session is over, which the calendar says too
            location.reload();
            return;
          }
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const errors = [...page.querySelectorAll(".errornote, .errors li")].flatMap((each) => [" ", ...each.childNodes]);
          back();
          say("Not moved. " + wanted + ".", ...(errors.length ? errors : [" It was refused (" + answer.status + ")."]));
        } catch (error) {
          back();
          say("Not moved.", " There is no answer: try again.");
        }
      }

      handle.type = "button";
      handle.className = "desk-handle";
      handle.setAttribute("aria-describedby", "how-to-move");
      handle.style.top = (100 * at("y")) / box.height + "%";
      handle.style.width = (100 * at("width")) / box.width + "%";
      handle.style.height = (100 * at("height")) / box.height + "%";
      handle.addEventListener("pointerdown", function (event) {
        if (event.button !== 0) return;
        drag = { x: event.clientX, moved: moved, perPixel: (end - start) / frame.getBoundingClientRect().width };
        dragged = false;
        handle.setPointerCapture(event.pointerId);
      });
      handle.addEventListener("pointermove", function (event) {
        if (!drag) return;
        put(drag.moved + Math.round(((event.clientX - drag.x) * drag.perPixel) / step) * step);
        dragged = dragged || moved !== drag.moved;
      });
      handle.addEventListener("pointerup", function () {
        drag = null;
        if (dragged && moved) drop();
      });
      handle.addEventListener("pointercancel", function () { drag = null; back(); });
      handle.addEventListener("keydown", function (event) {
        if (event.key === "ArrowLeft") put(moved - step);
        else if (event.key === "ArrowRight") put(moved + step);
        else if (event.key === "Escape") put(0);
        else return;
        event.preventDefault();
      });
      handle.addEventListener("click", function () { // of the pointer without dragging, and of Enter
        if (dragged) { dragged = false; return; }
        const given = new URLSearchParams({ observe_from: from().toISOString(), observe_until: until().toISOString() });
        location.assign(row.dataset.move + "?" + given);
      });
      drawing.append(handle);
      show();
    }

    const rows = document.querySelectorAll("tr[data-move]");
    for (const drawing of calendar.children) for (const row of rows) movable(row, drawing);
    document.getElementById("how-to-move").hidden = !rows.length;
  });
})();
