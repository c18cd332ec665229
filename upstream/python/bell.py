# What coroutines wait at until something has happened elsewhere. Each looks for itself what it was, and waits again.
class Bell:
    __slots__ = ("loop", "waiting")

    def __init__(self, loop):
        self.loop = loop
        self.waiting = ()

    async def heard(self):
        future = self.loop.create_future()
        # Those that were cancelled meanwhile are left out: a receive() within a timeout may come again and again.
        self.waiting = [other for other in self.waiting if not other.done()] + [future]
        await future

    def ring(self):
        if self.waiting:
            waiting, self.waiting = self.waiting, ()
            for future in waiting:
                if not future.done():
                    future.set_result(None)
