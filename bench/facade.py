"""How the façade is measured: what it adds to system calls, against libc, and as sockets grow."""


class Facade:
    """Part of report.Bench, which has what these use."""

    def facade_measures(self):
        return {
            "facade.recv.instructions": self.facade_transfer,
            "facade.blocking.rps": self.facade_blocking,
            "facade.steady.allocations": self.facade_allocations,
        }

    def facade_transfer(self):
        """What is added; the system calls' own instructions beside it."""
        count = 2000 if self.quick else 20000
        weft = self.instructions_each("facade_transfer_weft", (), count)
        libc_calls = self.instructions_each("facade_transfer_libc", (), count)
        if weft is None or libc_calls is None:
            return {}
        return {"weft": weft - libc_calls, "bare_calls": libc_calls}

    def facade_blocking(self):
        """Server and load on one core: a blocking server sleeps while its client works."""
        trips = 20000 if self.quick else 100000
        programs = [who for who in ("weft", "libc") if self.has(f"echo_facade_{who}")]
        load = ["--connections", "1", "--round-trips", str(trips), "--warm-up", "1000"]
        rounds = []
        cpus = self.server_cpu, self.load_cpu
        self.load_cpu = self.server_cpu
        for i in range(self.rounds):
            order = programs[::-1] if i % 2 else programs
            rounds.append({who: self.serve(f"facade_{who}", load)["rps"] for who in order})
        self.server_cpu, self.load_cpu = cpus
        return rounds

    def facade_poll(self, sockets):
        count = 500 if self.quick else 5000
        value = self.once(("facade_poll", sockets), lambda: self.instructions_each(
            "facade_poll_weft", (), count, (sockets,)))
        if value is None:
            return {}
        return {"weft": value} if sockets == 10 else {
            "weft": value, "10_sockets": self.facade_poll(10)["weft"]}

    def facade_allocations(self):
        """Of a blocking echo server, from one message to the next."""
        if not self.has("echo_facade_weft"):
            return {}
        load = ["--connections", "1", "--round-trips", "2000", "--warm-up", "20"]
        counted = self.serve("facade_weft", load, count=True)
        return {"weft": counted["allocations"] / counted["round_trips"]}
