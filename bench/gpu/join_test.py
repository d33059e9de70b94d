"""What the table says of figures, without PyTorch: python3 -m unittest join_test (Maven runs it with the bench module)."""
import unittest

import join

EAGER = {"times": 10.0, "over": "PyTorch eager", "modes": ["eager"]}
COMPILED = {"times": 1.0, "over": "torch.compile", "modes": ["compile", "compile-graph"]}


def crema(**work):
    row = {"name": "w", "description": "a work", "flops": 2e12, "arithmetic": "bf16", "seconds": 4e-3, "bars": []}
    row.update(work)
    return {"description": "a card", "date": "today", "limits": {"copy": 1e12, "bf16": 5e14}, "works": [row]}


def peers(**modes):
    return {"torch": "2", "cuda": "13", "card": "a card", "limits": {"bf16": 1e15, "tf32": 4e14}, "works": {"w": modes}}


class JoinTest(unittest.TestCase):
    def line(self, c, p):
        text, self.fine = join.table(c, p)
        return next(line for line in text.splitlines() if line.startswith("| w "))

    def test_the_better_rate_is_the_cards_limit(self):
        self.assertEqual(join.limits(crema(), peers()), {"copy": 1e12, "bf16": 1e15, "tf32": 4e14})
        self.assertIn("| 4,000.0 | 50 % |", self.line(crema(), peers()))
        self.assertIn("| 100 % |", self.line(crema(), None))

    def test_memory_is_a_limit_too(self):
        work = crema(seconds=2e-3, bars=[{"of_limit": 0.9}])
        del work["works"][0]["flops"], work["works"][0]["arithmetic"]
        work["works"][0]["bytes"] = 1e9
        self.assertIn("| 50 % |", self.line(work, None))
        self.assertIn("90 % of the limit: 50 % ✗", self.line(work, None))

    def test_a_rate_that_was_not_measured_gives_no_share(self):
        self.assertIn("| 4,000.0 |  |", self.line(crema(arithmetic="fp32", bars=[{"of_limit": 0.9}]), None))
        self.assertIn("90 % of the limit: not measured", self.line(crema(arithmetic="fp32", bars=[{"of_limit": 0.9}]), None))

    def test_bars_over_pytorch(self):
        fast = self.line(crema(bars=[EAGER]), peers(eager={"seconds": 41e-3}))
        self.assertIn("10× PyTorch eager: 10.25× ✓", fast)
        self.assertIn("41,000.0 (10.25×)", fast)
        self.assertIn("9.75× ✗", self.line(crema(bars=[EAGER]), peers(eager={"seconds": 39e-3})))
        self.assertIn("10× PyTorch eager: not measured", self.line(crema(bars=[EAGER]), None))

    def test_near_ways_stand_beside_and_are_named(self):
        own = crema(bars=[EAGER], ways=["a: rows"])
        near = crema(seconds=3e-3, ways=["a: cudnn"])
        text, fine = join.table(own, peers(eager={"seconds": 41e-3}), near)
        self.assertTrue(fine)
        self.assertIn("| Crema, near ways too |", text)
        self.assertIn("| 50 % | 3,000.0 (0.75×) | 41,000.0 (10.25×) |", text)
        self.assertIn("10× PyTorch eager: 10.25×", text)  # bars are for results that do not depend on the choice
        self.assertIn("- w with near ways: a: cudnn", text)
        many = crema(ways=["a (Norm): cudnn", "b (Norm): own", "c (Norm): cudnn"])
        self.assertIn("- w with near ways: 2 × Norm: cudnn; Norm: own\n", join.table(own, None, many)[0] + "\n")
        self.assertNotIn("with near ways: a", join.table(own, None, own)[0])
        self.assertNotIn("near ways too", join.table(own, None)[0])
        text, fine = join.table(own, None, crema(failure="no memory"))
        self.assertFalse(fine)
        self.assertIn("w in Crema with near ways: no memory", text)

    def test_of_several_modes_the_fastest_counts(self):
        both = peers(**{"compile": {"seconds": 8e-3}, "compile-graph": {"seconds": 3e-3}})
        self.assertIn("ahead of torch.compile: 0.75× ✗", self.line(crema(bars=[COMPILED]), both))

    def test_what_failed_is_said_and_hides_nothing(self):
        line = self.line(crema(bars=[COMPILED]), peers(**{"compile": {"failure": "no compiler"}, "compile-graph": {"seconds": 8e-3}}))
        self.assertIn("| failed |", line)
        self.assertIn("ahead of torch.compile: 2.00× ✓", line)
        self.assertFalse(self.fine)
        self.assertIn("w in PyTorch, compile: no compiler", join.table(crema(), peers(compile={"failure": "no compiler"}))[0])

    def test_what_pytorch_cannot_do_is_no_failure_and_said_once(self):
        none = peers(eager={"missing": "it is too old"}, compile={"missing": "it is too old"})
        self.assertIn("| none | none |", self.line(crema(bars=[EAGER]), none))
        self.assertTrue(self.fine)
        self.assertEqual(join.table(crema(), none)[0].count("w is not measured in PyTorch: it is too old"), 1)

    def test_a_work_that_fails_in_crema_has_no_ratio(self):
        line = self.line(crema(failure="out of memory", bars=[EAGER]), peers(eager={"seconds": 1e-3}))
        self.assertIn("| w | failed |", line)
        self.assertIn("not measured", line)
        self.assertFalse(self.fine)

    def test_losses_are_compared_where_weights_were_the_same(self):
        same = {"seconds": 1.0, "losses": [2.0, 1.0], "same_weights": True}
        for losses, fine in (([2.0, 1.0005], True), ([2.0, 1.01], False), ([2.0, float("nan")], False)):
            self.line(crema(losses=losses), peers(eager=same))
            self.assertEqual(self.fine, fine, losses)
        self.line(crema(losses=[5.0, 4.0]), peers(eager={"seconds": 1.0, "losses": [2.0, 1.0]}))
        self.assertTrue(self.fine)

    def test_bars_are_not_held_against_small_sizes(self):
        small = crema(bars=[EAGER])
        small["full_size"] = False
        self.assertNotIn("eager:", self.line(small, peers(eager={"seconds": 1e-3})))
        self.assertIn("Small sizes", join.table(small, None)[0])

    def test_pytorch_alone_is_a_table_too(self):
        self.assertIn("| w |  |  | 1,000.0 |", self.line(None, peers(eager={"seconds": 1e-3})))


if __name__ == "__main__":
    unittest.main()
