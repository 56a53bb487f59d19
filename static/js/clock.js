"use strict";
// Times by the clock of the site, which may not be that of the browser, for the other scripts of a page.

// A moment as a field holds it: 2026-03-02T14:00.
const siteClock = (at, timeZone) =>
  new Date(at).toLocaleString("sv-SE", { timeZone }).slice(0, 16).replace(" ", "T");

// What a field holds as buttons say it: without the day, if that is today.
const siteTime = (value, timeZone) => {
  const [day, time] = value.split("T");
  return day === siteClock(Date.now(), timeZone).slice(0, 10) ? time : `${day}, ${time}`;
};
